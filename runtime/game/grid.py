"""The grid: columns of time, rows of price, and the ids of the cells where they cross."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

CELL_ID_LENGTH_MAX = 32
"""Longest id that is read: ten digits for each number, and whatever fits it also fits a database integer."""

FIRST_PLACEABLE = 2
"""Columns from the current one to the first that takes bets; the next one is too near to be bet on."""


@dataclass(frozen=True, slots=True)
class GridRules:
    """The lattice: column width W, horizon H, row step S and the rows R that are shown."""

    column_seconds: int
    horizon_columns: int
    row_step_cents: int
    rows: int


class Cell(NamedTuple):
    """One price band [low, high], bounds included, in the column that starts at `start_s`."""

    start_s: int
    low_cents: int
    high_cents: int

    @property
    def id(self) -> str:
        """Return the only id of this cell."""
        return f"{self.start_s}_{self.low_cents}_{self.high_cents}"


@lru_cache(maxsize=4096)
def parse_cell(cell_id: str, rules: GridRules) -> Cell | None:
    """Read a canonical id of a cell on the lattice; anything else is None. Many bets are on few cells."""
    if len(cell_id) > CELL_ID_LENGTH_MAX:
        return None
    try:
        start, low, high = cell_id.split("_")
        start_s, low_cents, high_cents = int(start), int(low), int(high)
    except ValueError:
        return None
    step = rules.row_step_cents
    if start_s < 0 or start_s % rules.column_seconds:
        return None
    if low_cents < 0 or low_cents % step or high_cents != low_cents + step:
        return None
    # int() also reads signs, spaces, leading zeros and other scripts' digits: canonical is what is written back alike.
    if f"{start_s}_{low_cents}_{high_cents}" != cell_id:
        return None
    return Cell(start_s, low_cents, high_cents)


def column_of(now_ms: int, rules: GridRules) -> int:
    """Return the start, in seconds, of the column that `now_ms` lies in."""
    now_s = now_ms // 1000
    return now_s - now_s % rules.column_seconds


def placeable_columns(now_ms: int, rules: GridRules) -> range:
    """Return the starts of the columns k+2 to k+H, with k the current one."""
    width = rules.column_seconds
    current = column_of(now_ms, rules)
    return range(current + FIRST_PLACEABLE * width, current + rules.horizon_columns * width + 1, width)


def is_placeable(cell: Cell, now_ms: int, rules: GridRules) -> bool:
    """Tell whether the cell's column takes bets now; its rate decides the rest."""
    return cell.start_s in placeable_columns(now_ms, rules)


def shown_rows(price_cents: int, rules: GridRules) -> list[int]:
    """Return the lows of the rows shown, ascending, with the price as near to their middle as rows allow."""
    step, rows = rules.row_step_cents, rules.rows
    # price / step - rows / 2, rounded to the nearest row, in whole numbers; there are no rows below a price of zero.
    first = max(0, (2 * price_cents - rows * step + step) // (2 * step))
    return [row * step for row in range(first, first + rows)]
