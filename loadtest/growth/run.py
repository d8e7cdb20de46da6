"""`make bench-growth`: how long the writer's commits take at 10 thousand bets in the tables, a million, and more."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, ClassVar

from msgspec import Struct, field

from jobs.writer.main import GC_THRESHOLDS
from loadtest.bench import machine
from loadtest.bench.machine import MB
from loadtest.bench.processes import BenchFailed
from loadtest.growth.commits import WARM_UP, Round, measure
from loadtest.growth.fill import BETS_PER_COMMIT, BYTES_PER_BET, fill
from loadtest.measurement import Findings, Measurement, Trial
from runtime.clock import SystemClock
from runtime.game.ledger import SQL
from runtime.settings import load
from runtime.storage.database import Row, open_reader

SIZES = (10_000, 1_000_000)
RATIO_MAX = 1.3
ROUNDS = 7
COMMITS_PER_S = 25.0
FILLED_PER_S = 60_000
GROWS_BY_MOST = 0.5
"""Tables that the rounds would grow by more than that are put back before each round."""
SPARE_BYTES = 1 << 30
"""For the logs and the bets of the rounds."""


class Size(Struct, kw_only=True):
    """One size of the tables: the first start, medians over the rounds, and every round's p99."""

    bets: int
    bets_at_end: int
    database_mb: float
    fill_s: float
    open_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    p99_of_rounds: list[float]


class Growth(Findings, kw_only=True):
    """A whole run."""

    RATIO_MAX: ClassVar = RATIO_MAX
    rounds: int
    per_s: float
    sizes: list[Size]

    @property
    def ratio(self) -> float:
        """Return p99 at the greatest size divided by that at the least."""
        return round(self.sizes[-1].p99_ms / self.sizes[0].p99_ms, 2)

    def complaints(self) -> list[str]:
        """Commits must not take longer as the tables grow."""
        return [f"p99 grew to {self.ratio:.2f} times, not {RATIO_MAX} at most."] if self.ratio > RATIO_MAX else []


class Filled(Struct):
    """A filled database, how long that took, and the rounds that it has had."""

    bets: int
    path: Path
    fill_s: float
    rounds: list[Round] = field(default_factory=list)

    def put_back(self) -> None:
        """Make it what it was when it had been filled."""
        as_filled = self.path.with_suffix(".filled")
        if not as_filled.exists():
            shutil.copyfile(self.path, as_filled)
        shutil.copyfile(as_filled, self.path)
        with self.path.open("rb+") as file:
            os.fsync(file)

    def ask(self, query: str) -> Row:
        """Return the first row of an answer."""
        database = open_reader(self.path)
        [row, *_] = database.execute(query)
        database.close()
        return row

    def size(self) -> Size:
        """Put its rounds together."""

        def middle(value: Callable[[Round], float]) -> float:
            return float(median(value(one) for one in self.rounds))

        return Size(
            bets=self.bets,
            bets_at_end=int(self.ask(SQL["last_bet_seq"])[0]),
            database_mb=round(self.path.stat().st_size / MB, 1),
            fill_s=round(self.fill_s, 1),
            # Later rounds find the bets of the earlier ones open.
            open_s=self.rounds[0].open_s,
            p50_ms=middle(lambda one: one.p50_ms),
            p99_ms=middle(lambda one: one.p99_ms),
            max_ms=max(one.max_ms for one in self.rounds),
            p99_of_rounds=[one.p99_ms for one in self.rounds],
        )


def grown(
    trial: Trial,
    rows: Annotated[int, "bets in the greatest tables"] = SIZES[-1],
    commits: Annotated[int, "commits a round, of 100 bets each"] = 300,
) -> Growth:
    """Time the writer's commits as the tables grow: fill a database for each size, then let them take turns."""
    sizes = [*(size for size in SIZES if size < rows), rows]
    require_room(trial.folder, sizes)
    filled = [_filled(trial, size) for size in sizes]
    # As the writer's process has it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    for number in range(ROUNDS):
        # Every size comes early and late in a turn, so that what the machine does beside it hits all alike.
        for one in [*filled[number % len(filled) :], *filled[: number % len(filled)]]:
            _round(trial, one, number, commits)
    trial.machine = machine.describe(None, str(filled[0].ask("SELECT sqlite_version()")[0]))
    return Growth(rounds=ROUNDS, per_s=COMMITS_PER_S, sizes=[one.size() for one in filled])


def require_room(folder: Path, sizes: Sequence[int]) -> None:
    """Fail before anything is filled if the disk is too small for all sizes together."""
    needed, free = sum(sizes) * BYTES_PER_BET + SPARE_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        gb = 10**9
        raise BenchFailed(f"{needed / gb:.1f} GB are needed in {folder.parent}, {free / gb:.1f} GB are free")


def _filled(trial: Trial, size: int) -> Filled:
    path = trial.folder / f"{size}" / "taptrade.db"
    path.parent.mkdir()
    start_s = time.monotonic()
    with trial.display.step(f"filling in {size:,} bets", size / FILLED_PER_S) as show:
        fill(path, size, SystemClock(), lambda bets: show(f"{bets:,} of {size:,} bets"))
    return Filled(size, path, time.monotonic() - start_s)


def _round(trial: Trial, one: Filled, number: int, commits: int) -> None:
    if one.bets * GROWS_BY_MOST < ROUNDS * (WARM_UP + commits) * BETS_PER_COMMIT:
        one.put_back()
    settings = load({"TAPTRADE_DATA": str(trial.folder)})
    with trial.display.step(f"{commits} commits on {one.bets:,} bets", (WARM_UP + commits) / COMMITS_PER_S):
        found = measure(one.path, settings, SystemClock().now_ms(), number, commits, COMMITS_PER_S)
    trial.display.say(f"{one.bets:,} bets: p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms")
    one.rounds.append(found)


MEASUREMENT = Measurement("growth", grown, nginx="unused", keeps_data=False)
