"""What has changed from one grid to the next: a few hundred bytes where the whole takes thousands."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec.structs import replace

from runtime.market.grid import Grid, GridPrice

BpRow = tuple[int | None, ...]
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NOT_OFFERED = "."


class GridChange(msgspec.Struct, frozen=True):
    """A grid by its differences from the one before.

    Columns and rows follow each other without a gap, so the first of each names all. A cell's rate is that of the same
    cell in the grid before plus its number in `changes`, or that number where the grid before had none for it.
    """

    grid_version: int
    base_event_id: str
    """The grid that the differences are from; whoever has not got it waits for the next whole `grid`."""
    server_time_ms: int
    price: GridPrice
    column_start_s: int
    """The first column's start."""
    row_low_cents: int
    """The first row's lower bound."""
    changes: tuple[str, ...]
    """One text a column: a number a row, in basis points, as base64 VLQ (https://tc39.es/ecma426/#sec-base64-vlq); a
    full stop where the cell is not offered."""


def change_between(base: Grid, grid: Grid, base_event_id: str) -> GridChange | None:
    """Return what leads from one grid to the next; None if more has changed than rates, columns and rows."""
    if not grid.columns or not grid.rows or replace(base, **_moving(grid)) != grid:
        return None
    change = GridChange(
        grid.grid_version,
        base_event_id,
        grid.server_time_ms,
        grid.price,
        grid.columns[0].start_s,
        grid.rows[0].low_cents,
        tuple("".join(map(_written, rates, before)) for rates, before in _with_those_before(base, grid)),
    )
    return change if _is_regular(grid) else None


def _moving(grid: Grid) -> dict[str, object]:
    names = ("grid_version", "server_time_ms", "server_time", "price", "columns", "rows", "rates_bp")
    return {name: getattr(grid, name) for name in names}


def _is_regular(grid: Grid) -> bool:
    starts = range(grid.columns[0].start_s, grid.columns[-1].start_s + 1, grid.column_seconds)
    lows = range(grid.rows[0].low_cents, grid.rows[-1].low_cents + 1, grid.row_step_cents)
    return [each.start_s for each in grid.columns] == [*starts] and [each.low_cents for each in grid.rows] == [*lows]


def _with_those_before(base: Grid, grid: Grid) -> list[tuple[BpRow, BpRow]]:
    """Return the rates of each column, and what the same cells had in `base`."""
    known = {column.start_s: rates for column, rates in zip(base.columns, base.rates_bp, strict=True)}
    shift = (grid.rows[0].low_cents - base.rows[0].low_cents) // grid.row_step_cents if base.rows else 0
    return [
        (rates, _shifted(known.get(column.start_s, ()), shift, len(grid.rows)))
        for column, rates in zip(grid.columns, grid.rates_bp, strict=True)
    ]


def _shifted(rates: BpRow, shift: int, length: int) -> BpRow:
    return tuple(rates[at] if 0 <= at < len(rates) else None for at in range(shift, shift + length))


def _written(rate: int | None, before: int | None) -> str:
    return NOT_OFFERED if rate is None else vlq(rate - (before or 0))


@lru_cache(maxsize=4096)
def vlq(number: int) -> str:
    """Write a number in base64 VLQ: five bits a digit, the lowest first, and the lowest of all for the sign."""
    left = number << 1 if number >= 0 else -number << 1 | 1
    digits = []
    while left > 31:
        digits.append(DIGITS[left & 31 | 32])
        left >>= 5
    return "".join(digits) + DIGITS[left]
