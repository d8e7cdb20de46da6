"""GET /api/bets/{bet_id}: one bet, with the evidence that it was settled on."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.auth.sessions import signed_in
from runtime.bet_fate import find_fate
from runtime.errors import NotFound
from runtime.explain import explanation
from runtime.function import Call, Reply, function
from runtime.views import bet_view, column_view


class BetAnswer(msgspec.Struct, frozen=True):
    """A bet, its column's evidence once that has settled, and why it ended as it did."""

    bet: dict[str, Any]
    evidence: dict[str, Any] | None = None
    explanation: str = ""


@function(
    "GET",
    "/api/bets/{bet_id}",
    auth="session",
    limit="requests",
    summary="One bet with its evidence",
    response=BetAnswer,
    errors=("NOT_FOUND", "BET_NEVER_PLACED"),
)
def get_bet(call: Call[None]) -> BetAnswer | Reply:
    """Show a bet; 202 while it is pending, 404 BET_NEVER_PLACED once it cannot come any more."""
    bet_id = call.path["bet_id"]
    fate = find_fate(call.parts, bet_id, signed_in(call.session).user_id)
    if fate.bet is None:
        if fate.missing == "pending":
            pending = {"id": bet_id, "status": "pending", "decided_by_ms": fate.decided_by_ms}
            return Reply(BetAnswer(pending, None, "The bet waits for its commit."), status=202)
        if fate.missing == "never_placed":
            raise NotFound("The bet was lost on its way; no money was taken.", code="BET_NEVER_PLACED")
        raise NotFound("You have no such bet.")
    rows = call.parts.reads.rows("SELECT * FROM columns WHERE start_s = ?", (fate.bet.column_start_s,))
    column = column_view(rows[0]) if rows else None
    return BetAnswer(bet_view(fate.bet), column, explanation(fate.bet, column))
