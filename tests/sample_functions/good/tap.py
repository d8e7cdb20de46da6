"""POST /api/taps: everything that a bet needs of the framework."""

from __future__ import annotations

import msgspec

from runtime.errors import Conflict
from runtime.function import Body, Call, function
from runtime.rate_limits import LimitDecision


class Where(Body, frozen=True):
    """A place in the grid."""

    row: int


class Tap(Body, frozen=True):
    """A tap."""

    cell: str
    amount: int
    where: Where | None = None
    hits: int = 1


class Tapped(msgspec.Struct, frozen=True):
    """What came of it."""

    wallet: str
    cell: str
    received_ms: int


@function(
    "POST",
    "/api/taps",
    auth="session",
    limits_by_handler=("bets",),
    guards=("breaker",),
    body=Tap,
    response=Tapped,
    status=201,
    also={202: Tapped},
    summary="Tap",
    errors=("RATE_MOVED",),
)
def tap(call: Call[Tap]) -> Tapped:
    """Tap a cell; the cell `moved` is refused."""
    decision = LimitDecision("bets", call.body.hits <= 3, 3, max(0, 3 - call.body.hits), 17)
    call.report_limit(decision)
    decision.enforce()
    if call.body.cell == "moved":
        raise Conflict("The rate fell.", code="RATE_MOVED", floor=18_000, rate_bp=17_000, grid_version=7)
    assert call.session is not None
    return Tapped(call.session.wallet, call.body.cell, call.received_ms)
