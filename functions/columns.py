"""GET /api/columns/{start}: the evidence that a column was settled on."""

from __future__ import annotations

import msgspec

from runtime.errors import NotFound
from runtime.function import Call, function
from runtime.views import column_view

START_DIGITS_MAX = 12


class Column(msgspec.Struct, frozen=True):
    """What the price did in the column's window: recompute any of its bets from it, for ever."""

    start_s: int
    end_s: int
    covered: bool
    open: int | None
    low: int | None
    high: int | None
    close: int | None
    tick_count: int
    ticks_sha256: str
    first_tick_id: int | None
    last_tick_id: int | None
    reason: str | None
    settled_at: str


@function("GET", "/api/columns/{start}", auth="none", limit="requests", summary="A column's evidence", response=Column)
def column(call: Call[None]) -> Column:
    """Show the evidence of the column that starts at a Unix second; 404 until it is settled."""
    start: str = call.path["start"]
    known = start.isascii() and start.isdigit() and len(start) <= START_DIGITS_MAX
    rows = call.parts.reads.rows("SELECT * FROM columns WHERE start_s = ?", (int(start),)) if known else []
    if not rows:
        raise NotFound("No column that starts then was settled.")
    return msgspec.convert(column_view(rows[0]), Column)
