"""What the house would pay if every open bet won, by column and cell, read from the database in small pieces.

The writer counts the same in memory (runtime.game.limits.Exposure) and is not asked: it has bets to take.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from runtime.game.player_entries import Execute
from runtime.records.queries import QUERIES

COLUMNS_MAX = 100
SLICE_BETS = 2_000
"""Bets of one read: the pool gives a read 50 ms."""
BETS_MAX = 60_000
"""Bets that are read for one answer; where more are open, the sums are lower bounds, and say so."""


class CellExposure(msgspec.Struct, frozen=True):
    """The open bets on a cell."""

    cell_id: str
    low_cents: int
    high_cents: int
    bets: int
    staked_cents: int
    payout_cents: int
    """What they pay if the cell is touched."""


class ColumnExposure(msgspec.Struct, frozen=True):
    """The open bets on a column."""

    start_s: int
    bets: int
    staked_cents: int
    payout_cents: int
    cells: list[CellExposure]


class Exposed(msgspec.Struct, frozen=True):
    """The open bets of the house."""

    complete: bool
    """Whether all open bets are in here; if not, there are more."""
    bets: int
    staked_cents: int
    payout_cents: int
    columns: list[ColumnExposure]


def read_exposure(execute: Execute) -> Exposed:
    """Count the open bets, each piece in a read of its own, so that none is long."""
    starts = [start_s for (start_s,) in execute(QUERIES["open_columns"], (COLUMNS_MAX + 1,))]
    left = BETS_MAX
    columns: list[ColumnExposure] = []
    complete = len(starts) <= COLUMNS_MAX
    for start_s in starts[:COLUMNS_MAX]:
        cells: dict[str, CellExposure] = {}
        for looked_at, cell in _pieces(execute, start_s):
            left -= looked_at
            if cell.bets:
                cells[cell.cell_id] = _together(cells.get(cell.cell_id), cell)
            if left <= 0:
                complete = False
                break
        if cells:
            columns.append(_column(start_s, list(cells.values())))
        if left <= 0:
            break
    return Exposed(
        complete=complete,
        bets=sum(column.bets for column in columns),
        staked_cents=sum(column.staked_cents for column in columns),
        payout_cents=sum(column.payout_cents for column in columns),
        columns=columns,
    )


def settlement_lag_ms(execute: Execute, column_seconds: int, now_ms: int) -> int:
    """Return how long ago the oldest column ended whose bets are still open; 0 where none has ended."""
    starts: list[int] = [start_s for (start_s,) in execute(QUERIES["open_columns"], (1,))]
    return max([0, *(now_ms - 1000 * (start_s + column_seconds) for start_s in starts)])


def _pieces(execute: Execute, start_s: int) -> Iterator[tuple[int, CellExposure]]:
    """Yield the open bets of a column's cells, a cell in several pieces if they are many, and how many were read."""
    cursor = ("", "")
    looked_at = SLICE_BETS
    while looked_at == SLICE_BETS:
        rows = execute(QUERIES["open_on_cells"], (start_s, *cursor, SLICE_BETS))
        looked_at = sum(row[2] for row in rows)
        for cell_id, user_id, seen, bets, staked_cents, payout_cents in rows:
            cursor = (cell_id, user_id)
            _, low, high = map(int, cell_id.split("_"))
            yield seen, CellExposure(cell_id, low, high, bets, staked_cents, payout_cents)


def _together(one: CellExposure | None, other: CellExposure) -> CellExposure:
    if one is None:
        return other
    return CellExposure(
        one.cell_id,
        one.low_cents,
        one.high_cents,
        one.bets + other.bets,
        one.staked_cents + other.staked_cents,
        one.payout_cents + other.payout_cents,
    )


def _column(start_s: int, cells: list[CellExposure]) -> ColumnExposure:
    return ColumnExposure(
        start_s=start_s,
        bets=sum(cell.bets for cell in cells),
        staked_cents=sum(cell.staked_cents for cell in cells),
        payout_cents=sum(cell.payout_cents for cell in cells),
        cells=sorted(cells, key=lambda cell: cell.low_cents),
    )
