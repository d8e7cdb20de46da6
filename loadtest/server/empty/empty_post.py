"""POST /empty: take a body of a bet's size, answer at once."""

from __future__ import annotations

import msgspec

from runtime.function import Body, Call, function


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


@function("POST", "/empty", auth="none", summary="Take a tap", body=Tap, response=Taken, status=201)
def empty_post(call: Call[Tap]) -> Taken:
    """Answer."""
    return Taken(call.body.cell_id, call.received_ms)
