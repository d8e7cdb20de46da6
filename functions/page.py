"""GET /, /bets/{bet_id}, /docs, /operate and /page/...: the pages that people open, as files of the folder `page/`."""

from __future__ import annotations

from runtime.errors import NotFound
from runtime.function import Call, OpenQuery, Reply, function
from runtime.version import ROOT
from runtime.web.static_files import StaticFiles

FOLDER = ROOT / "page"
# A page runs our own files and asks this server only. nginx/page_headers.conf has the same.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
FILES = StaticFiles(FOLDER, HEADERS)


class AnyQuery(OpenQuery, frozen=True):
    """A link to a page may carry whatever others put on it."""


@function("GET", "/", auth="none", summary="The game", query=AnyQuery, response=str, media="text/html")
def home(call: Call[None]) -> Reply:
    """Show the game."""
    return _file(call, "index.html")


@function(
    "GET", "/bets/{bet_id}", auth="none", summary="The proof of a bet", query=AnyQuery, response=str, media="text/html"
)
def bet(call: Call[None]) -> Reply:
    """Show the page of a bet; it asks the API for the bet, which its owner alone is told of."""
    return _file(call, "bet.html")


@function(
    "GET", "/operate", auth="none", summary="The operator's page", query=AnyQuery, response=str, media="text/html"
)
def operate(call: Call[None]) -> Reply:
    """Show the operator's page; it asks the API, which knows the operators."""
    return _file(call, "operate.html")


@function(
    "GET", "/docs", auth="none", summary="This interface as a page", query=AnyQuery, response=str, media="text/html"
)
def docs(call: Call[None]) -> Reply:
    """Show the page of the interface; it shows what /openapi.json says, and lets one try calls."""
    return _file(call, "docs.html")


@function(
    "GET",
    "/page/{name:path}",
    auth="none",
    summary="A file of the pages",
    query=AnyQuery,
    response=str,
    media="application/octet-stream",
)
def file(call: Call[None]) -> Reply:
    """Return a script, a style or a picture."""
    return _file(call, call.path["name"])


def _file(call: Call[None], name: str) -> Reply:
    found = FILES.find(name)
    if found is None:
        raise NotFound("There is no such page.")
    return FILES.answer(found, call.req)
