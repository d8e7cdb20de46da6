"""GET /openapi.json: the interface for machines. GET /docs: the same for people."""

from __future__ import annotations

from pathlib import Path

from runtime.function import Call, Reply, function
from runtime.records.refusals import PROBLEMS
from runtime.version import build
from runtime.web import openapi

PAGE = Path(openapi.__file__).with_name("docs.html").read_bytes()
# The page holds its own script and style and asks this server only.
PAGE_POLICY = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"


@function("GET", "/openapi.json", auth="none", summary="This interface as OpenAPI 3.1", response=openapi.Document)
def openapi_json(call: Call[None]) -> Reply:
    """Describe every function from its own types."""
    document = openapi.document(call.surroundings.functions, build().version, PROBLEMS)
    return Reply(document, headers={"Cache-Control": "no-cache"})


@function("GET", "/docs", auth="none", summary="This interface as a page", response=str, media="text/html")
def docs(_call: Call[None]) -> Reply:
    """Show the page; it renders /openapi.json."""
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    return Reply(PAGE, content_type="text/html; charset=utf-8", headers=headers)
