"""GET /api/bets: own bets, newest first."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from runtime.auth.sessions import signed_in
from runtime.function import Call, function
from runtime.game.bets import Status, from_row
from runtime.records.pages import PageQuery, Time, after_number
from runtime.records.player_bets import Wanted, bets_newest_first
from runtime.records.views import bet_view

Filter = Status | Literal["open"]


class BetsQuery(PageQuery, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    """Filters of one's own bets; `open` is another word for confirmed."""

    status: Filter | None = None
    cell_id: str | None = None
    from_ms: Time | None = None
    to_ms: Time | None = None


class BetList(msgspec.Struct, frozen=True):
    """A page of bets and the cursor of the next."""

    bets: list[dict[str, Any]]
    next_cursor: str | None


@function(
    "GET", "/api/bets", auth="session", limits=("requests",), summary="Own bets", query=BetsQuery, response=BetList
)
def list_bets(call: Call[None]) -> BetList:
    """List the account's bets in the order in which they were committed, newest first."""
    query: BetsQuery = call.params
    user_id = signed_in(call.session).user_id
    before = None if query.cursor is None else after_number(query.cursor)
    status = "confirmed" if query.status == "open" else query.status
    wanted = Wanted(status, query.cell_id, query.from_ms, query.to_ms)
    rows = call.parts.pool.together(
        lambda execute: bets_newest_first(execute, user_id, wanted, before, query.limit + 1),
    )
    bets = [from_row(row) for row in rows]
    more = str(bets[query.limit - 1].seq) if len(bets) > query.limit else None
    return BetList([bet_view(bet) for bet in bets[: query.limit]], more)
