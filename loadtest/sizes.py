"""`make bench-sizes`: what one step costs against how much there is: accounts, a player's entries, open bets.

Each step is that of the system itself, its statements over its schema. One database after the other is filled, measured
and removed. What does work for all that there is, as the writer's start does, is told per bet.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from loadtest import bets as made
from loadtest import long_history, machine, many_accounts, open_cells
from loadtest.bets import Show
from loadtest.long_history import PAGES
from loadtest.measurement import Found, Measurement, Trial
from loadtest.processes import BenchFailed
from runtime.clock import ManualClock, SystemClock
from runtime.settings import load
from runtime.storage.database import sqlite_version

ACCOUNTS = (10_000, 100_000, 1_000_000)
ENTRIES = (1_000, 100_000, 1_000_000)
OPEN_BETS = (1_000, 10_000, 100_000)
GROWTH_MAX = 2.0
"""Of one step for ten times as much: what is logarithmic stays far below, what is linear reaches 10."""
PAGE_MS_MAX = 20.0
STEPS_PER_S = 60_000
SPARE_BYTES = 500 << 20


def measured(
    trial: Trial,
    accounts: Annotated[int, "accounts in the greatest database, such as 10000000"] = ACCOUNTS[-1],
) -> Found:
    """Time single steps against how many accounts, entries of one player and open bets there are."""
    sizes = [*(size for size in ACCOUNTS if size < accounts), accounts]
    require_room(trial.folder, sizes[-1] * many_accounts.BYTES_PER_ACCOUNT)
    settings, clock = load({"TAPTRADE_DATA": str(trial.folder)}), SystemClock()
    still = ManualClock(clock.now_ms())

    def of_accounts(path: Path, size: int, show: Show) -> dict[str, float]:
        made.fill_accounts(path, size, clock, show)
        return many_accounts.measure(path, size, settings, clock)

    def of_entries(path: Path, size: int, show: Show) -> dict[str, float]:
        made.fill(path, size // long_history.ENTRIES_PER_BET, clock, show, players=1)
        return long_history.measure(path, size, clock)

    def of_open_bets(path: Path, size: int, show: Show) -> dict[str, float]:
        open_cells.fill(path, size, still.now_ms(), show)
        return open_cells.measure(path, size, settings, still)

    groups = [
        group_of("accounts", sizes, _each(trial, "accounts", sizes, of_accounts)),
        group_of("entries of the player", ENTRIES, _each(trial, "entries", ENTRIES, of_entries)),
        group_of("open bets, each on a cell of its own", OPEN_BETS, _each(trial, "open bets", OPEN_BETS, of_open_bets)),
    ]
    trial.machine = machine.describe(None, sqlite_version())
    return {"groups": groups, "growth_max": GROWTH_MAX, "page_ms_max": PAGE_MS_MAX}


def group_of(of: str, sizes: Sequence[int], times_us: Sequence[Mapping[str, float]]) -> Found:
    """Put together what was measured at each size: a row for each step, with its growth."""
    rows = [
        {
            "what": what,
            "times_us": [round(at_size[what], 2) for at_size in times_us],
            "growth": round(growth(sizes, [at_size[what] for at_size in times_us]), 2),
            "is_page": what in PAGES,
        }
        for what in times_us[0]
    ]
    return {"of": of, "sizes": [*sizes], "rows": rows}


def growth(sizes: Sequence[int], times_us: Sequence[float]) -> float:
    """Return by how much a step takes longer for ten times as much, from the least to the greatest size."""
    tenfolds = math.log10(sizes[-1] / sizes[0])
    return float((times_us[-1] / times_us[0]) ** (1 / tenfolds))


def complaints(found: Found) -> Iterator[str]:
    """Nothing may be worse than logarithmic, and no page slow."""
    for group in found["groups"]:
        for row in group["rows"]:
            if row["growth"] > GROWTH_MAX:
                yield (
                    f"{row['what']}: takes {row['growth']:g} times as long with ten times the {group['of']}, "
                    f"not {GROWTH_MAX:g} at most."
                )
            slowest_ms = max(row["times_us"]) / 1000
            if row["is_page"] and slowest_ms > PAGE_MS_MAX:
                yield f"{row['what']}: takes {slowest_ms:.1f} ms, not {PAGE_MS_MAX:g} at most."


def require_room(folder: Path, needed: int) -> None:
    """Fail before anything is filled if the disk is too small."""
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        gb = 10**9
        raise BenchFailed(
            f"{(needed + SPARE_BYTES) / gb:.1f} GB are needed in {folder.parent}, {free / gb:.1f} GB free"
        )


def _each(
    trial: Trial, of: str, sizes: Sequence[int], work: Callable[[Path, int, Show], dict[str, float]]
) -> list[dict[str, float]]:
    """Measure at each size in a folder of its own, which is removed before the next one is filled."""
    found = []
    for size in sizes:
        folder = trial.folder / f"{size}"
        folder.mkdir()
        with trial.display.step(f"{size:,} {of}", 1 + size / STEPS_PER_S) as show:
            found.append(work(folder / "taptrade.db", size, _shown(show, of)))
        shutil.rmtree(folder)
    return found


def _shown(show: Callable[[str], None], of: str) -> Show:
    return lambda count: show(f"{count:,} {of}")


MEASUREMENT = Measurement("sizes", measured, complaints, nginx="unused", keeps_data=False)
