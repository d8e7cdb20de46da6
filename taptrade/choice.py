"""Which cell to tap next: one that is offered, soon over, and unlike those tapped before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from runtime.game.money import BASIS_POINTS
from taptrade.views import ColumnView, GridView, RowView

NEAREST_COLUMNS = 4
CLOSING_MARGIN_MS = 400
"""A tap needs a moment to arrive: a column that closes sooner is left alone."""
TOLERANCE_PERCENT = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """One cell of one grid, at the rate that was seen."""

    column: ColumnView
    row: RowView
    rate_bp: int
    column_index: int
    row_index: int

    @property
    def cell_id(self) -> str:
        """The cell's id."""
        return f"{self.start_s}_{self.low_cents}_{self.high_cents}"

    @property
    def start_s(self) -> int:
        """When its window begins, in Unix seconds."""
        return self.column.start_s

    @property
    def low_cents(self) -> int:
        """The lowest price of its band."""
        return self.row.low_cents

    @property
    def high_cents(self) -> int:
        """The highest price of its band."""
        return self.row.high_cents

    @property
    def min_rate_bp(self) -> int:
        """The floor to sign: the rate seen less the tolerance, never below even money."""
        return max(BASIS_POINTS, self.rate_bp * (100 - TOLERANCE_PERCENT) // 100)


def offers(grid: GridView, now_ms: int, columns: int = NEAREST_COLUMNS) -> list[Offer]:
    """List what is offered in the nearest columns that stay open long enough; if nothing is, look further out."""
    width_ms = grid.column_seconds * 1000
    margin_ms = min(CLOSING_MARGIN_MS, width_ms // 4)
    found: list[Offer] = []
    looked_at = 0
    for index, (column, rates) in enumerate(zip(grid.columns, grid.rates_bp, strict=True)):
        # A column closes when the one before it begins.
        if column.opens_ms - width_ms - now_ms < margin_ms:
            continue
        if looked_at >= columns and found:
            break
        looked_at += 1
        found += [
            Offer(column, row, rate, index, row_index)
            for row_index, (row, rate) in enumerate(zip(grid.rows, rates, strict=True))
            if rate is not None
        ]
    return found


class Chooser:
    """Choose cells by a seed, spread over columns and rows, never the same cell twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._tapped: set[str] = set()
        self._columns: Counter[int] = Counter()
        self._rows: Counter[int] = Counter()

    def choose(self, grid: GridView, now_ms: int) -> Offer | None:
        """Choose the next cell, None if nothing is offered that was not tapped before."""
        free = [offer for offer in offers(grid, now_ms) if offer.cell_id not in self._tapped]
        if not free:
            return None
        offer = min(free, key=self._weight)
        self._tapped.add(offer.cell_id)
        self._columns[offer.column_index] += 1
        self._rows[offer.row_index] += 1
        return offer

    def _weight(self, offer: Offer) -> tuple[int, float]:
        return self._columns[offer.column_index] + self._rows[offer.row_index], self._rng.random()
