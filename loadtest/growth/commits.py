"""Commits of the real writer, timed one by one: its book, its judgement, its ledger, its checkpoints beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jobs.writer.book import Book
from jobs.writer.checkpoints import Checkpointer
from jobs.writer.place import place_bets
from loadtest.bench.commands import PRICE_CENTS, grid_rules, place_bet, tick
from loadtest.bench.processes import BenchFailed
from loadtest.bench.schedule import Latencies
from loadtest.growth.fill import BETS_PER_COMMIT, CELLS, ROW_CENTS, USER_STRIDE, USERS, user_id
from runtime.clock import ManualClock
from runtime.game.grid import Cell, column_of
from runtime.game.judge import Judge
from runtime.game.ledger import Commit
from runtime.game.limits import RiskLimits
from runtime.game.player_entries import totals_since
from runtime.game.rewards import load_model
from runtime.messaging.commands import PlaceBet
from runtime.messaging.queues import new_id
from runtime.settings import Settings
from runtime.storage.database import open_writer

COLUMNS_AHEAD = 9
VOLATILITY = 2_000.0
"""So volatile that every cell is offered."""
ENDLESS = RiskLimits(10**15, 10**15, 10**15, 10**15)
WARM_UP = 100
"""Commits before those that count: a writer runs for months, with its cache full of the pages that it needs."""
BETS_MAX = USERS * CELLS
"""What one column holds if every player bets on every cell of it."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of commits took."""

    open_s: float
    """How long the book was read when the writer started."""
    p50_ms: float
    p99_ms: float
    max_ms: float


class Table:
    """The writer at one database, with time standing still: no cell closes and no price gets old."""

    def __init__(self, path: Path, settings: Settings, now_ms: int, number: int) -> None:
        self._rules = rules = grid_rules(settings)
        self._settings = settings
        self._model = load_model(settings.reward_model, rules, settings.house_edge_bp)
        self._now_ms = now_ms
        self._tick = tick(now_ms, VOLATILITY)
        # Rounds bet on columns of their own, since no player may bet twice on a cell.
        self._column_s = column_of(now_ms, rules) + (COLUMNS_AHEAD + number) * rules.column_seconds
        self.database = open_writer(path, checkpoint_pages=0)
        start_s = time.perf_counter()
        self.book = Book(self.database, ManualClock(now_ms), ENDLESS)
        self.open_s = time.perf_counter() - start_s

    def bets(self, first: int) -> list[PlaceBet]:
        """Make the next commands: other players and cells each time."""
        return [self._bet(number) for number in range(first, first + BETS_PER_COMMIT)]

    def commit(self, bets: list[PlaceBet]) -> None:
        """Place bets in one commit; fail if one is refused."""
        with self.book.commit(lambda _commit: None) as commit:
            outcomes = place_bets(commit, self._court(commit), bets)
        refused = [outcome.code for outcome in outcomes if outcome.code]
        if refused:
            raise BenchFailed(f"{len(refused)} bets were refused: {refused[0]}")

    def _bet(self, number: int) -> PlaceBet:
        low_cents = PRICE_CENTS + ROW_CENTS * ((number + number // USERS) % CELLS - CELLS // 2)
        cell = Cell(self._column_s, low_cents, low_cents + ROW_CENTS)
        # Ids of one millisecond are a commit's.
        bet_id = new_id(self._now_ms + number // BETS_PER_COMMIT)
        return place_bet(user_id(number * USER_STRIDE), cell, self._now_ms, id=bet_id)

    def _court(self, commit: Commit) -> Judge:
        return Judge(
            rules=self._rules,
            model=self._model,
            tick=self._tick,
            now_ms=commit.now_ms,
            newest_column_s=self.book.newest_column_s,
            max_fill_age_ms=self._settings.max_fill_age_ms,
            presets_cents=self._settings.presets_cents,
            exposure=self.book.exposure,
            limits_of=self.book.limits_of,
            totals_since=partial(totals_since, commit.connection.execute),
        )


def measure(path: Path, settings: Settings, now_ms: int, number: int, commits: int, per_s: float) -> Round:
    """Make `commits` commits of 100 bets at a steady pace; return what each took, what held it up included."""
    if (WARM_UP + commits) * BETS_PER_COMMIT > BETS_MAX:
        raise BenchFailed(f"at most {BETS_MAX // BETS_PER_COMMIT - WARM_UP:,} commits a round")
    table = Table(path, settings, now_ms, number)
    checkpoints = Checkpointer(path)
    checkpoints.start()
    latencies = Latencies()
    start_s = time.perf_counter()
    try:
        for count in range(WARM_UP + commits):
            bets = table.bets(count * BETS_PER_COMMIT)
            time.sleep(max(start_s + count / per_s - time.perf_counter(), 0.0))
            began_s = time.perf_counter()
            # As in the writer's process: whoever waits then waits for this too.
            if checkpoints.wal_is_long.is_set():
                checkpoints.wal_is_long.clear()
                table.database.restart_wal()
            table.commit(bets)
            if count >= WARM_UP:
                latencies.add(round((time.perf_counter() - began_s) * 1e6))
    finally:
        checkpoints.stop()
        table.database.close()
    return Round(round(table.open_s, 3), latencies.percentile_ms(50), latencies.percentile_ms(99), latencies.max_ms)
