"""GET /api/bets: own bets, newest first, as JSON or as a spreadsheet."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from runtime.auth.sessions import signed_in
from runtime.clock import rfc3339, rfc3339_if_any
from runtime.function import Call, Reply, function
from runtime.game.bets import Bet, Status
from runtime.records.pages import NumberPage, Time, after_number
from runtime.records.player_bets import Wanted
from runtime.records.spreadsheet import sheet_reply
from runtime.records.views import BetView, bet_view

Filter = Status | Literal["open"]
CSV_FIELDS = (
    *("id", "placed_at", "cell_id", "window_start", "low_cents", "high_cents", "stake_cents", "rate_bp"),
    *("status", "payout_cents", "refund_cents", "resolved_at", "refusal"),
)


class BetsQuery(NumberPage, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    """Filters of one's own bets; `open` is another word for confirmed."""

    status: Filter | None = None
    cell_id: str | None = None
    from_ms: Time | None = None
    to_ms: Time | None = None


class BetList(msgspec.Struct, frozen=True):
    """A page of bets and the cursor of the next."""

    bets: list[BetView]
    """The bets, newest first."""
    next_cursor: str | None


@function(
    "GET",
    "/api/bets",
    auth="session",
    limits=("requests",),
    summary="Own bets",
    query=BetsQuery,
    response=BetList,
    instead=("text/csv",),
    errors=("ARCHIVED",),
)
def list_bets(call: Call[None]) -> BetList | Reply:
    """List the account's bets in the order in which they were committed; `Accept: text/csv` gives a spreadsheet.

    With a filter, some two thousand bets are looked at for a page: it may be short, even empty, while there is a next
    cursor.
    """
    query: BetsQuery = call.params
    user_id = signed_in(call.session).user_id
    before = after_number(query.cursor) if query.cursor else None
    status = "confirmed" if query.status == "open" else query.status
    wanted = Wanted(status, query.cell_id, query.from_ms, query.to_ms)
    found = call.parts.past.bets(user_id, wanted, before, query.limit)
    more = found.next_cursor(lambda bet: str(bet.seq), lambda cut: str(cut.cut_seq + 1))
    if call.preferred_type("application/json", "text/csv") == "text/csv":
        return sheet_reply(CSV_FIELDS, map(_row, found.rows), more)
    return BetList([bet_view(bet) for bet in found.rows], more)


def _row(bet: Bet) -> dict[str, Any]:
    """Return a bet as a line; what the commit never gave it, or no lattice has, stays empty."""
    taken, known = bet.refusal_code is None, bet.column_start_s > 0
    return {
        "id": bet.id,
        "placed_at": rfc3339(bet.placed_at),
        "cell_id": bet.cell_id,
        "window_start": rfc3339(bet.column_start_s * 1000) if known else None,
        "low_cents": bet.low_cents if known else None,
        "high_cents": bet.high_cents if known else None,
        "stake_cents": bet.amount,
        "rate_bp": bet.reward_rate if taken else None,
        "status": bet.status,
        "payout_cents": bet.payout_amount,
        "refund_cents": bet.amount if bet.status == "void" else None,
        "resolved_at": rfc3339_if_any(bet.resolved_at),
        "refusal": bet.refusal_code,
    }
