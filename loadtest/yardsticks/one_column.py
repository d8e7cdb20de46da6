"""A column with 15,000 bets ends: how long the writer takes to settle them, and how long new bets wait meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from msgspec import Struct

from loadtest.bench.commands import PRICE_CENTS, place_bet, stamped
from loadtest.bench.processes import BenchFailed
from loadtest.yardsticks.lone_writer import PLACED, ROWS, LoneWriter, lone_writer
from runtime.clock import SystemClock
from runtime.messaging import redis_keys
from runtime.messaging.commands import PlaceBet, SettleColumn
from runtime.messaging.queues import BETS, COMMANDS, decode_outcomes

USERS = 1_500
OTHERS_PER_S = 500
ORIGIN = "beside"
SETTLED = "SELECT begun_at, settled_at FROM columns WHERE settled_commit IS NOT NULL"
SETTLED_S_MAX = 30
ANSWERS_EVERY_S = 0.002


class OneColumn(Struct):
    """How one column of `bets` bets ended while others were placed at `placed_per_s`."""

    bets: int
    placed_per_s: int
    settled_ms: int
    """From the commit that began the column to the one that ended it."""
    waited_ms_max: float
    """The longest that a bet placed meanwhile waited, from its enqueue to its answer."""


def settle_one(folder: Path) -> OneColumn:
    """Fill a column, end it, and go on placing bets on another one until all of its bets have ended."""
    with lone_writer(folder) as writer:
        users = writer.open_accounts(USERS)
        writer.show_price()
        cells = writer.cells(2)
        bets = writer.put_bets(users, cells[:ROWS])
        writer.wait_for(PLACED, bets)
        writer.put(COMMANDS, [_end_of(cells[0].start_s, writer.rules.column_seconds)])
        others = (place_bet(user, cell, SystemClock().now_ms()) for cell in cells[ROWS:] for user in users)
        waited_ms = Beside(writer).place_until_settled(others)
        begun_ms, settled_ms = writer.database.execute(SETTLED)[0]
    return OneColumn(bets, OTHERS_PER_S, settled_ms - begun_ms, round(max(waited_ms), 1))


def _end_of(start_s: int, width_s: int) -> SettleColumn:
    """Return the evidence of a window in which the price stood still: the cells that it lies in win."""
    return SettleColumn(
        **stamped(SystemClock().now_ms()),
        open=PRICE_CENTS,
        low=PRICE_CENTS,
        high=PRICE_CENTS,
        close=PRICE_CENTS,
        tick_count=1,
        first_tick_id=1,
        last_tick_id=1,
        start_s=start_s,
        end_s=start_s + width_s,
        covered=True,
        ticks_sha256="0" * 64,
    )


@dataclass(slots=True)
class Beside:
    """Bets that are placed on schedule, one at a time, while a column is settled."""

    writer: LoneWriter
    sent_s: dict[str, float] = field(default_factory=dict)
    waited_ms: list[float] = field(default_factory=list)

    def place_until_settled(self, bets: Iterator[PlaceBet]) -> list[float]:
        """Place bets until the column has settled and all are answered; return how long each waited."""
        pause, settled, count = Event(), False, 0
        start_s = time.perf_counter()
        while not settled or self.sent_s:
            now_s = time.perf_counter()
            if now_s > start_s + SETTLED_S_MAX:
                raise BenchFailed(f"after {SETTLED_S_MAX} s: settled {settled}, {len(self.sent_s)} bets not answered")
            settled = settled or bool(self.writer.database.execute(SETTLED))
            if not settled and now_s >= start_s + count / OTHERS_PER_S:
                self._place(next(bets))
                count += 1
            self._receive()
            pause.wait(ANSWERS_EVERY_S if settled else max(start_s + count / OTHERS_PER_S - time.perf_counter(), 0.0))
        return self.waited_ms

    def _place(self, bet: PlaceBet) -> None:
        self.sent_s[bet.id] = time.perf_counter()
        self.writer.put(BETS, [bet], ORIGIN)

    def _receive(self) -> None:
        """Take the answers that are there."""
        found: Any = self.writer.client.lpop(redis_keys.replies(ORIGIN), 100)
        now_s = time.perf_counter()
        for outcome in [outcome for data in found or () for outcome in decode_outcomes(data)]:
            if outcome.code is not None:
                raise BenchFailed(f"a bet beside the settlement was refused: {outcome.code}")
            self.waited_ms.append((now_s - self.sent_s.pop(outcome.id)) * 1000)
