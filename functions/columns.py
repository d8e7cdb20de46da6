"""GET /api/columns/{start}: the evidence that a column was settled on."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import NotFound
from runtime.explanation.facts import find_column
from runtime.function import Call, Reply, function
from runtime.game.columns import Evidence
from runtime.records.views import column_view

START_DIGITS_MAX = 12


@dataclass(frozen=True, slots=True)
class Column(Evidence):
    """What the price did in the column's window: recompute any of its bets from it, for ever."""

    settled_at: str


@function(
    "GET", "/api/columns/{start}", auth="none", limits=("requests",), summary="A column's evidence", response=Column
)
def column(call: Call[None]) -> Reply:
    """Show the evidence of the column that starts at a Unix second; 404 until that is committed, before any result."""
    start: str = call.path["start"]
    known = start.isascii() and start.isdigit() and len(start) <= START_DIGITS_MAX
    found = find_column(call.parts.pool.execute, int(start)) if known else None
    if found is None:
        raise NotFound("No column that starts then was settled.")
    return Reply(Column(**column_view(found)))
