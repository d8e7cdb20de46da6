"""`make bench-growth`: how long the writer's commits take at 10 thousand bets in the tables, a million, and more.

They are those of the real writer, timed one by one: its book, its judgement, its ledger, its checkpoints beside it.
"""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any

from jobs.writer.book import Book
from jobs.writer.main import GC_THRESHOLDS
from jobs.writer.rules import WriterRules
from loadtest import bets as made
from loadtest import machine
from loadtest.bets import BETS_PER_COMMIT, PRICE_CENTS, ROW_CENTS, USERS
from loadtest.commits import checkpointed, commit_bets, no_wait
from loadtest.machine import MB
from loadtest.measurement import Found, Measurement, Trial
from loadtest.processes import BenchFailed
from loadtest.schedule import Latencies
from runtime.clock import ManualClock, SystemClock
from runtime.game.grid import Cell, column_of
from runtime.game.ledger import SQL
from runtime.game.limits import RiskLimits
from runtime.game.rewards import BrownianTouch
from runtime.market.models import rules_of
from runtime.messaging.commands import PlaceBet
from runtime.messaging.queues import new_id
from runtime.settings import Settings, load
from runtime.storage.database import open_reader, open_writer

SIZES = (10_000, 1_000_000)
RATIO_MAX = 1.3
ROUNDS = 7
COMMITS_PER_S = 25.0
FILLED_PER_S = 60_000
GROWS_BY_MOST = 0.5
"""Tables that the rounds would grow by more than that are put back before each round."""
SPARE_BYTES = 1 << 30
"""For the logs and the bets of the rounds."""


COLUMNS_AHEAD = 9
VOLATILITY = 2_000.0
"""So volatile that every cell is offered."""
ENDLESS = RiskLimits(10**15, 10**15, 10**15, 10**15)
WARM_UP = 100
"""Commits before those that count: a writer runs for months, with its cache full of the pages that it needs."""
BETS_MAX = USERS * made.CELLS
"""What one column holds if every player bets on every cell of it."""


class Table:
    """The writer at one database, with time standing still: no cell closes and no price gets old."""

    def __init__(self, path: Path, settings: Settings, now_ms: int, number: int, users: int = USERS) -> None:
        self.users = users
        self.rules = rules = rules_of(settings)
        self.model = BrownianTouch(rules, settings.house_edge_bp)
        self._writer_rules = WriterRules.of(settings, self.model, no_wait)
        self._now_ms = now_ms
        self._tick = made.tick(now_ms, VOLATILITY)
        # Rounds bet on columns of their own, since no player may bet twice on a cell.
        self.column_s = column_of(now_ms, rules) + (COLUMNS_AHEAD + number) * rules.column_seconds
        self.database = open_writer(path, checkpoint_pages=0)
        start_s = time.perf_counter()
        self.book = Book(self.database, ManualClock(now_ms), ENDLESS)
        self.open_s = time.perf_counter() - start_s

    def bets(self, first: int) -> list[PlaceBet]:
        """Make the next commands: other players and cells each time."""
        return [self._bet(number) for number in range(first, first + BETS_PER_COMMIT)]

    def commit(self, bets: list[PlaceBet]) -> None:
        """Place bets in one commit; fail if one is refused."""
        commit_bets(self.book, bets, self._writer_rules, self._tick)

    def _bet(self, number: int) -> PlaceBet:
        low_cents = PRICE_CENTS + ROW_CENTS * ((number + number // self.users) % made.CELLS - made.CELLS // 2)
        cell = Cell(self.column_s, low_cents, low_cents + ROW_CENTS)
        # Ids of one millisecond are a commit's.
        bet_id = new_id(self._now_ms + number // BETS_PER_COMMIT)
        return made.place_bet(made.user_id(number * made.USER_STRIDE, self.users), cell, self._now_ms, id=bet_id)


def measure(path: Path, settings: Settings, now_ms: int, number: int, commits: int, per_s: float) -> Found:
    """Make `commits` commits of 100 bets at a steady pace; return what each took, what held it up included."""
    if (WARM_UP + commits) * BETS_PER_COMMIT > BETS_MAX:
        raise BenchFailed(f"at most {BETS_MAX // BETS_PER_COMMIT - WARM_UP:,} commits a round")
    table = Table(path, settings, now_ms, number)
    latencies = Latencies()
    with closing(table.database), checkpointed(table.database, path, SystemClock()):
        start_s = time.perf_counter()
        for count in range(WARM_UP + commits):
            bets = table.bets(count * BETS_PER_COMMIT)
            time.sleep(max(start_s + count / per_s - time.perf_counter(), 0.0))
            began_s = time.perf_counter()
            table.commit(bets)
            if count >= WARM_UP:
                latencies.add(round((time.perf_counter() - began_s) * 1e6))
    return {"open_s": round(table.open_s, 3), **latencies.ms(50, 99, 100)}


@dataclass(slots=True)
class Filled:
    """A filled database, how long that took, and the rounds that it has had."""

    bets: int
    path: Path
    fill_s: float
    rounds: list[Found] = field(default_factory=list)

    def put_back(self) -> None:
        """Make it what it was when it had been filled."""
        as_filled = self.path.with_suffix(".filled")
        if not as_filled.exists():
            shutil.copyfile(self.path, as_filled)
        shutil.copyfile(as_filled, self.path)
        with self.path.open("rb+") as file:
            os.fsync(file)

    def ask(self, query: str) -> Any:
        """Return the first value of an answer."""
        database = open_reader(self.path)
        [(value, *_), *_] = database.execute(query)
        database.close()
        return value

    def size(self) -> Found:
        """Put its rounds together: the first start, medians over the rounds, and every round's p99."""
        return {
            "bets": self.bets,
            "bets_at_end": int(self.ask(SQL["last_bet_seq"])),
            "database_mb": round(self.path.stat().st_size / MB, 1),
            "fill_s": round(self.fill_s, 1),
            # Later rounds find the bets of the earlier ones open.
            "open_s": self.rounds[0]["open_s"],
            "p50_ms": median(one["p50_ms"] for one in self.rounds),
            "p99_ms": median(one["p99_ms"] for one in self.rounds),
            "max_ms": max(one["max_ms"] for one in self.rounds),
            "p99_of_rounds": [one["p99_ms"] for one in self.rounds],
        }


def grown(
    trial: Trial,
    rows: Annotated[int, "bets in the greatest tables"] = SIZES[-1],
    commits: Annotated[int, "commits a round, of 100 bets each"] = 300,
) -> Found:
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
    trial.machine = machine.describe(None, filled[0].ask("SELECT sqlite_version()"))
    return found_of([one.size() for one in filled])


def found_of(measured: Sequence[Found]) -> Found:
    """Compare the sizes: p99 at the greatest is divided by that at the least."""
    ratio = round(measured[-1]["p99_ms"] / measured[0]["p99_ms"], 2)
    return {"rounds": ROUNDS, "per_s": COMMITS_PER_S, "sizes": measured, "ratio": ratio, "ratio_max": RATIO_MAX}


def complaints(found: Found) -> Iterator[str]:
    """Commits must not take longer as the tables grow."""
    if found["ratio"] > RATIO_MAX:
        yield f"p99 grew to {found['ratio']:.2f} times, not {RATIO_MAX} at most."


def require_room(folder: Path, sizes: Sequence[int]) -> None:
    """Fail before anything is filled if the disk is too small for all sizes together."""
    needed, free = sum(sizes) * made.BYTES_PER_BET + SPARE_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        gb = 10**9
        raise BenchFailed(f"{needed / gb:.1f} GB are needed in {folder.parent}, {free / gb:.1f} GB are free")


def _filled(trial: Trial, size: int) -> Filled:
    path = trial.folder / f"{size}" / "taptrade.db"
    path.parent.mkdir()
    start_s = time.monotonic()
    with trial.display.step(f"filling in {size:,} bets", size / FILLED_PER_S) as show:
        made.fill(path, size, SystemClock(), lambda bets: show(f"{bets:,} of {size:,} bets"))
    return Filled(size, path, time.monotonic() - start_s)


def _round(trial: Trial, one: Filled, number: int, commits: int) -> None:
    if one.bets * GROWS_BY_MOST < ROUNDS * (WARM_UP + commits) * BETS_PER_COMMIT:
        one.put_back()
    settings = load({"TAPTRADE_DATA": str(trial.folder)})
    with trial.display.step(f"{commits} commits on {one.bets:,} bets", (WARM_UP + commits) / COMMITS_PER_S):
        found = measure(one.path, settings, SystemClock().now_ms(), number, commits, COMMITS_PER_S)
    trial.display.say(f"{one.bets:,} bets: p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms")
    one.rounds.append(found)


MEASUREMENT = Measurement("growth", grown, complaints, nginx="unused", keeps_data=False)
