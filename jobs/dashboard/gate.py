"""What stands before rq-dashboard: known names, its own pages, a sign-in, and no change unless that is allowed.

The dashboard itself asks for none of these. Without them any page in the operator's browser could change the queues,
by a request of its own or by a name of its own that it lets point to this machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from jobs.dashboard.sign_in import page
from jobs.dashboard.visits import LIFE_MS, TooManyGuesses, Visits
from runtime.hosts import without_default_port

ALIVE = "/_alive"
SIGN_IN = "/_sign-in"
FORM_BYTES_MAX = 4_096
READING = frozenset(
    {
        "static",
        *(
            f"rq_dashboard.{name}"
            for name in (
                *("static", "favicon", "queues_overview", "workers_overview", "jobs_overview", "job_view"),
                *("list_queues", "list_workers", "list_jobs", "job_info"),
            )
        ),
    }
)
"""The routes that only look, by Flask's names. Every other one counts as changing something, unknown ones too."""
HEADERS = (
    ("Content-Security-Policy", "frame-ancestors 'none'; form-action 'self'; base-uri 'none'"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)


class Gate:
    """A WSGI application around rq-dashboard's."""

    def __init__(self, app: Flask, visits: Visits, domains: Collection[str], *, cookie: str, writes: bool) -> None:
        self._app = app
        self._visits = visits
        self._domains = domains
        self._cookie = cookie
        self._writes = writes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or let rq-dashboard answer it."""
        request = Request(environ)
        request.max_content_length = request.max_form_memory_size = FORM_BYTES_MAX
        try:
            answer = self._answer(request)
        except HTTPException as ex:  # a form that is too long or none
            answer = ex

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
            return start_response(status, [*headers, *HEADERS], exc_info)  # type: ignore[arg-type]

        return answer(environ, start)  # type: ignore[arg-type]

    def _answer(self, request: Request) -> WSGIApplication:
        if request.path == ALIVE:
            return Response("alive\n")
        host = without_default_port(request.headers.get("Host", ""))
        if host not in self._domains:
            return _refused(f"This is {' or '.join(self._domains)}; TAPTRADE_DASHBOARD_DOMAIN can name others.")
        if _is_foreign(request, host):
            return _refused("Another page asks; only the dashboard's own may.")
        if request.path == SIGN_IN and request.method == "POST":
            return self._sign_in(request, host)
        if request.path == SIGN_IN or not self._visits.knows(request.cookies.get(self._cookie, "")):
            return page(401)
        if self._changes(request.environ):
            if not self._writes:
                return _refused("The dashboard only shows; TAPTRADE_DASHBOARD_WRITES=on lets it change things.")
            if request.method != "POST" or not _is_own(request, host):
                return _refused("A change is only taken as a POST of the dashboard's own page.")
        return self._app

    def _sign_in(self, request: Request, host: str) -> Response:
        if not _is_own(request, host):
            return _refused("A key is only taken from the dashboard's own page.")
        try:
            token = self._visits.begin(request.form.get("key", "").strip())
        except TooManyGuesses as ex:
            return page(429, f"{ex}.", {"Retry-After": str(ex.retry_after_s)})
        if token is None:
            return page(401, "This is not the key.")
        answer = Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})
        answer.set_cookie(self._cookie, token, max_age=LIFE_MS // 1000, path="/", httponly=True, samesite="Strict")
        return answer

    def _changes(self, environ: WSGIEnvironment) -> bool:
        """Tell whether a request reaches a route that may change something; what reaches none changes nothing."""
        try:
            endpoint, _ = self._app.url_map.bind_to_environ(environ).match()
        except HTTPException:
            return False
        return endpoint not in READING


def _is_own(request: Request, host: str) -> bool:
    """Tell whether a browser says that the request comes from a page of the dashboard."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin") in (f"http://{host}", f"https://{host}")


def _is_foreign(request: Request, host: str) -> bool:
    """Tell whether a browser says that another page asks for more than to be left for the dashboard."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        return "Origin" in request.headers and not _is_own(request, host)
    follows_a_link = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document"
    return site not in ("same-origin", "none") and not follows_a_link


def _refused(why: str) -> Response:
    return Response(f"{why}\n", 403, {"Cache-Control": "no-store"})
