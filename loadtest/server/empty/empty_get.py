"""GET /empty: answer at once."""

from __future__ import annotations

import msgspec

from runtime.function import Call, function


class Received(msgspec.Struct, frozen=True):
    """When the request was received."""

    received_ms: int


@function("GET", "/empty", auth="none", summary="Answer at once", response=Received)
def empty_get(call: Call[None]) -> Received:
    """Answer."""
    return Received(call.received_ms)
