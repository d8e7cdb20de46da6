"""GET /api/columns/{start}: the evidence that a column was settled on."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.errors import NotFound
from runtime.explanation.facts import find_column
from runtime.function import Call, function
from runtime.records.views import ColumnView, column_view

START_DIGITS_MAX = 12
Start = Annotated[str, msgspec.Meta(pattern=f"^[0-9]{{1,{START_DIGITS_MAX}}}$", description="Unix seconds")]


@function(
    "GET",
    "/api/columns/{start}",
    auth="none",
    limits=("requests",),
    summary="A column's evidence",
    path={"start": Start},
    response=ColumnView,
)
def column(call: Call[None]) -> ColumnView:
    """Show the evidence of the column that starts at a Unix second; 404 until that is committed, before any result."""
    start: str = call.path["start"]
    known = start.isascii() and start.isdigit() and len(start) <= START_DIGITS_MAX
    found = find_column(call.parts.pool.execute, int(start)) if known else None
    if found is None:
        raise NotFound("No column that starts then was settled.")
    return column_view(found)
