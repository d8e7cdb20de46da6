"""GET /api/trouble/{kind}: functions that fail in every way."""

from __future__ import annotations

from typing import Any

from runtime.errors import Unavailable
from runtime.function import Call, Reply, function


class PartAwayError(Exception):
    """A part does not answer."""


@function("GET", "/api/trouble/{kind}", auth="none", summary="Fail", response=dict[str, Any])
def trouble(call: Call[None]) -> Any:
    """Fail as asked."""
    match call.path["kind"]:
        case "crash":
            raise ZeroDivisionError("the inside: Bearer abcdef")
        case "outage":
            raise PartAwayError("redis://:hunter2@127.0.0.1 is away")
        case "stale":
            raise Unavailable("No price.", code="PRICE_FEED_STALE", retry_after_s=30)
        case "text":
            return "not an answer"
        case "unwritable":
            return Reply({"what": object()})
        case "csv":
            return Reply("a,b\n1,2\n", content_type="text/csv")
        case "gone":
            return Reply(status=404)
        case kind:
            return Reply({"kind": kind})
