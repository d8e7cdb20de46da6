"""Bets for the writers' queue at a steady rate, as an API would send them, and what was answered to each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loadtest.bets import PRICE_CENTS, place_bet, stamped, tick
from runtime.clock import SystemClock
from runtime.game.grid import Cell, GridRules, column_of
from runtime.messaging.commands import OpenAccount, PlaceBet
from runtime.messaging.connection import OUTAGES
from runtime.messaging.queues import BETS, Queue, Ticket, decode_outcomes, new_id, send_commands
from runtime.messaging.redis_keys import TICK_LATEST, replies
from runtime.messaging.redis_values import encode_tick

ORIGIN = "cluster"
EVERY_S = 0.02
USERS, ROWS = 400, 10
AHEAD = 6
"""Columns between now and the cells that are bet on: far enough that none closes while the house is broken."""
CREDIT_CENTS = 10**8
VOLATILITY = 200.0
ANSWERS = 500


@dataclass(slots=True)
class Sent:
    """A bet on its way: when it was sent, and what came of it, by the clock of this process."""

    at_s: float
    answered_s: float | None = None
    code: str | None = None
    answers: int = 0

    @property
    def is_acknowledged(self) -> bool:
        """Tell whether it was answered as placed."""
        return self.answered_s is not None and self.code is None


class Traffic:
    """Sends from one thread and listens from another."""

    def __init__(self, client: Any, rules: GridRules, rate: int) -> None:
        self.sent: dict[str, Sent] = {}
        self.columns: set[int] = set()
        self.client, self.rules, self._rate = client, rules, rate
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._send, self._listen)]
        self._users: list[str] = []

    def open_accounts(self) -> None:
        """Queue the players' accounts."""
        now_ms = SystemClock().now_ms()
        commands = [
            OpenAccount(
                **stamped(now_ms),
                user_id=new_id(now_ms),
                wallet_address=f"0x{number:040x}",
                credit_cents=CREDIT_CENTS,
            )
            for number in range(1, USERS + 1)
        ]
        self._users = [command.user_id for command in commands]
        send_commands(self.client, commands, ORIGIN, now_ms)

    def start(self) -> None:
        """Begin to bet."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more; answers are still taken until `end`."""
        self._rate = 0

    def end(self) -> None:
        """Listen no more."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(10)

    def acknowledged_after(self, moment_s: float) -> bool:
        """Tell whether a bet was answered as placed that was sent after a moment."""
        return any(one.is_acknowledged and one.at_s > moment_s for one in [*self.sent.values()])

    def _send(self) -> None:
        bets, begun_s, count = self._bets(), time.monotonic(), 0
        queue = Queue(self.client, BETS, ORIGIN)
        while not self._stopping.wait(EVERY_S):
            now_ms = SystemClock().now_ms()
            self.client.set(TICK_LATEST, encode_tick(tick(now_ms, VOLATILITY)))
            due = int((time.monotonic() - begun_s) * self._rate) - count
            some = [next(bets) for _ in range(max(due, 0))]
            count += len(some)
            at_s = time.monotonic()
            self.sent.update({bet.id: Sent(at_s) for bet in some})
            if some:
                queue.enqueue([Ticket(bet) for bet in some], now_ms)

    def _bets(self) -> Iterator[PlaceBet]:
        """Make each player's bets on one cell after the other, none twice, always so many columns ahead."""
        used: set[tuple[str, int, int]] = set()
        width_s, step = self.rules.column_seconds, self.rules.row_step_cents
        number = 0
        while True:
            now_ms = SystemClock().now_ms()
            start_s = column_of(now_ms, self.rules) + AHEAD * width_s
            user, row = self._users[number % USERS], number // USERS % ROWS
            number += 1
            if (user, start_s, row) in used:
                start_s += width_s * (1 + number // (USERS * ROWS) % 3)
            used.add((user, start_s, row))
            low = PRICE_CENTS + step * (row - ROWS // 2)
            self.columns.add(start_s)
            yield place_bet(user, Cell(start_s, low, low + step), now_ms)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                found: Any = self.client.lpop(replies(ORIGIN), ANSWERS)
            except OUTAGES:
                continue
            now_s = time.monotonic()
            for outcome in [outcome for data in found or () for outcome in decode_outcomes(data)]:
                one = self.sent.get(outcome.id)
                if one is not None:
                    one.answers += 1
                    one.answered_s, one.code = one.answered_s or now_s, outcome.code
            if not found:
                self._stopping.wait(EVERY_S / 4)
