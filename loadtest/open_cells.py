"""What open bets cost among many: known at the writer's start, one more judged, a slice of them settled."""

from __future__ import annotations

from pathlib import Path
from random import Random

from jobs.writer.settle import SLICE_BETS, Settlement, begin_column
from loadtest import bets as made
from loadtest.bets import COLUMN_S, PRICE_CENTS, ROW_CENTS, USER_STRIDE, USERS, Layout, Show
from loadtest.growth import COLUMNS_AHEAD, Table
from loadtest.medians import median_us
from runtime.clock import Clock, ManualClock
from runtime.settings import Settings

CELLS_PER_COLUMN = 1_000
"""Each with one bet."""
TOUCHED_CELLS = CELLS_PER_COLUMN // 6
"""Above and below the price: a third of the bets are won."""
CHECKS = 1_000
REPEATS = 21
STARTS = 3
START = "the writer's start, a bet that is open"
CHECK = "what the house still stands for on a cell, at a bet"
SLICE = f"a slice of {SLICE_BETS} bets settled, a bet"


def first_column_s(now_ms: int) -> int:
    """Return the first column with open bets."""
    return now_ms // 1000 // COLUMN_S * COLUMN_S + COLUMNS_AHEAD * COLUMN_S


def fill(path: Path, bets: int, now_ms: int, show: Show) -> None:
    """Create the database with so many open bets, each on a cell of its own."""
    first_s = first_column_s(now_ms)
    row = f"((i - 1) % {CELLS_PER_COLUMN} - {CELLS_PER_COLUMN // 2})"
    layout = Layout(
        users=USERS,
        user=f"i * {USER_STRIDE} % {USERS}",
        start_s=f"({first_s} + {COLUMN_S} * ((i - 1) / {CELLS_PER_COLUMN}))",
        low_cents=f"({PRICE_CENTS} + {ROW_CENTS} * {row})",
        first_s=first_s,
        per_column=CELLS_PER_COLUMN,
    )
    made.fill_as(path, layout, bets, ManualClock(now_ms), show)


def measure(path: Path, bets: int, settings: Settings, clock: Clock) -> dict[str, float]:
    """Return the median microseconds of each; `clock` stands where it stood when the database was filled."""
    now_ms = clock.now_ms()
    table = Table(path, settings, now_ms, 0)
    picked = Random(7)  # a fixed sequence
    cells = [_cell(now_ms, picked.randrange(bets)) for _ in range(CHECKS)]

    def check_all(_round: int) -> None:
        for start_s, cell_id in cells:
            table.book.exposure.headroom_cents(start_s, cell_id)

    found = {
        START: median_us(lambda _round: table.book.reload(), range(STARTS), bets),
        CHECK: median_us(check_all, range(REPEATS), CHECKS),
        SLICE: _settle(table, settings, now_ms),
    }
    table.database.close()
    return found


def _cell(now_ms: int, number: int) -> tuple[int, str]:
    """Return the column and the cell of a bet, counted from 0."""
    start_s = first_column_s(now_ms) + COLUMN_S * (number // CELLS_PER_COLUMN)
    low_cents = PRICE_CENTS + ROW_CENTS * (number % CELLS_PER_COLUMN - CELLS_PER_COLUMN // 2)
    return start_s, f"{start_s}_{low_cents}_{low_cents + ROW_CENTS}"


def _settle(table: Table, settings: Settings, now_ms: int) -> float:
    """Settle the first column in slices of a commit each; its bets are as many at every size."""
    settlement = Settlement(table.book, table.rules, table.model)
    start_s = first_column_s(now_ms)
    with table.book.commit(lambda _commit: None) as commit:
        begin_column(commit, table.book, made.column_ends(start_s, settings.column_seconds, now_ms, TOUCHED_CELLS))
    settlement.look()

    def settle_slice(_number: int) -> None:
        with table.book.commit(lambda _commit: None) as commit:
            settlement.slice(commit)

    return median_us(settle_slice, range(CELLS_PER_COLUMN // SLICE_BETS), SLICE_BETS)
