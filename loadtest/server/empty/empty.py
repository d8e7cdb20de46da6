"""GET and POST /empty: answer at once, or take a body of a bet's size and answer at once."""

from __future__ import annotations

import msgspec

from runtime.function import Body, Call, function


class Received(msgspec.Struct, frozen=True):
    """When the request was received."""

    received_ms: int


class Tap(Body, frozen=True):
    """What a bet brings."""

    cell_id: str
    amount: int
    min_rate_bp: int
    nonce: str
    timestamp: int
    signature: str


class Taken(msgspec.Struct, frozen=True):
    """What came of it: nothing."""

    cell_id: str
    received_ms: int


@function("GET", "/empty", auth="none", summary="Answer at once", response=Received)
def empty_get(call: Call[None]) -> Received:
    """Answer."""
    return Received(call.received_ms)


@function("POST", "/empty", auth="none", summary="Take a tap", body=Tap, response=Taken, status=201)
def empty_post(call: Call[Tap]) -> Taken:
    """Answer."""
    return Taken(call.body.cell_id, call.received_ms)
