"""GET /openapi.json: the interface for machines; functions/page.py has the same for people."""

from __future__ import annotations

from runtime.function import Call, Reply, function
from runtime.records.refusals import PROBLEMS
from runtime.version import build
from runtime.web import openapi


@function("GET", "/openapi.json", auth="none", summary="This interface as OpenAPI 3.1", response=openapi.Document)
def openapi_json(call: Call[None]) -> Reply:
    """Describe every function from its own types."""
    document = openapi.document(call.surroundings.functions, build().version, PROBLEMS)
    return Reply(document, headers={"Cache-Control": "no-cache"})
