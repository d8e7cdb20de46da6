"""Commits of the real writer, timed one by one: its book, its judgement, its ledger, its checkpoints beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jobs.writer.book import Book
from jobs.writer.checkpoints import Checkpointer
from jobs.writer.place import place_bets
from loadtest.bench.children import BenchFailed
from loadtest.bench.recorder import Latencies
from loadtest.growth.fill import (
    BETS_PER_COMMIT,
    CELLS,
    PRICE_CENTS,
    ROW_CENTS,
    STAKE_CENTS,
    USER_STRIDE,
    USERS,
    user_id,
)
from runtime.clock import ManualClock
from runtime.game.grid import Cell, GridRules, column_of
from runtime.game.ids import RANDOM_BITS, ulid
from runtime.game.judge import Judge
from runtime.game.ledger import Commit
from runtime.game.limits import RiskLimits
from runtime.game.player_entries import totals_since
from runtime.game.rewards import load_model
from runtime.game.ticks import Features, Tick
from runtime.messaging.commands import PlaceBet
from runtime.settings import Settings
from runtime.storage.database import open_writer

COLUMNS_AHEAD = 9
FEATURES = Features(volatility=2_000.0, sample_ms=200, history_ms=600_000)
"""So volatile that every cell is offered."""
ENDLESS = RiskLimits(10**15, 10**15, 10**15, 10**15)
SCATTER = 0x9E3779B97F4A7C15
"""Odd, so that ids of one millisecond, which are a commit's, lie scattered, as random ones do, and never meet."""
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
        rules = GridRules(settings.column_seconds, settings.horizon_columns, settings.row_step_cents, settings.rows)
        self._rules = rules
        self._round = number
        self._settings = settings
        self._model = load_model(settings.reward_model, rules, settings.house_edge_bp)
        self._now_ms = now_ms
        self._tick = Tick(now_ms, now_ms, PRICE_CENTS, PRICE_CENTS, PRICE_CENTS, "growth", FEATURES)
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
        return PlaceBet(
            id=ulid(
                self._now_ms + number // BETS_PER_COMMIT,
                (self._round * BETS_MAX + number) * SCATTER % (1 << RANDOM_BITS),
            ),
            received_ms=self._now_ms,
            decided_by_ms=self._now_ms + 10_000,
            user_id=user_id(number * USER_STRIDE),
            cell_id=Cell(self._column_s, low_cents, low_cents + ROW_CENTS).id,
            amount=STAKE_CENTS,
            min_rate_bp=10_000,
            nonce=f"{number:032x}",
            signed_at_s=self._now_ms // 1000,
            signature=f"0x{number:0130x}",
            signer=f"0x{number:040x}",
        )

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
    p50_ms, p99_ms = latencies.percentile_ms(50), latencies.percentile_ms(99)
    return Round(round(table.open_s, 3), p50_ms, p99_ms, round(latencies.max_us / 1000, 2))
