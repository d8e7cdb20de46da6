"""The real writer's process with a Redis of its own and nothing else around it: what the bare SQL is held against."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from loadtest.bench.commands import PRICE_CENTS, grid_rules, place_bet, stamped, tick
from loadtest.bench.processes import BenchFailed, child, wait_for
from runtime.clock import SystemClock
from runtime.game.grid import Cell, GridRules, column_of
from runtime.messaging.commands import AnyCommand, OpenAccount
from runtime.messaging.connection import OUTAGES, Redis, connect
from runtime.messaging.queues import BATCH_COMMANDS_MAX, BETS, COMMANDS, Queue, Ticket, new_id
from runtime.messaging.redis_keys import TICK_LATEST
from runtime.messaging.redis_values import encode_tick
from runtime.settings import load
from runtime.storage.database import Database, open_reader
from taptrade import embedded_redis
from taptrade.housekeeping import migrate_databases

CREDIT_CENTS = 10**6
VOLATILITY = 200.0
START_S_MAX = 10
WAIT_S_MAX = 60
PLENTY = str(10**12)
SETTINGS = {
    "TAPTRADE_MAX_FILL_AGE_MS": "60000",
    "TAPTRADE_FEED": "sim",
    # All bet on a few cells of one house.
    "TAPTRADE_CELL_PAYOUT_MAX_CENTS": PLENTY,
    "TAPTRADE_COLUMN_PAYOUT_MAX_CENTS": PLENTY,
    "TAPTRADE_LIABILITY_MAX_CENTS": PLENTY,
}
USERS = 1_000
ROWS = 10
AHEAD = 9
"""Columns: far enough that none closes while its bets wait."""
PLACED = "SELECT count(*) FROM bets WHERE refusal_code IS NULL"
SPAN = """
SELECT min(committed_ms), max(committed_ms), min(last_bet_seq), max(last_bet_seq)
FROM commits WHERE first_bet_seq IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class LoneWriter:
    """A writer that takes what is put into its queues."""

    process: subprocess.Popen[bytes]
    client: Redis
    database: Database
    rules: GridRules

    def open_accounts(self, count: int) -> list[str]:
        """Open accounts with plenty of money; return their users."""
        now_ms = SystemClock().now_ms()
        users = [new_id(now_ms) for _ in range(count)]
        wallets = ["0x" + secrets.token_hex(20) for _ in users]
        self.put(
            COMMANDS,
            [
                OpenAccount(**stamped(now_ms), user_id=user, wallet_address=wallet, credit_cents=CREDIT_CENTS)
                for user, wallet in zip(users, wallets, strict=True)
            ],
        )
        self.wait_for("SELECT count(*) FROM users", count)
        return users

    def show_price(self) -> None:
        """Publish a price of this moment, which bets are filled at for a minute."""
        self.client.set(TICK_LATEST, encode_tick(tick(SystemClock().now_ms(), VOLATILITY)))

    def cells(self, columns: int) -> list[Cell]:
        """Return the cells around the price in some columns."""
        width_s, step = self.rules.column_seconds, self.rules.row_step_cents
        first_s = column_of(SystemClock().now_ms(), self.rules) + AHEAD * width_s
        lows = [PRICE_CENTS + step * (row - ROWS // 2) for row in range(ROWS)]
        return [
            Cell(start_s, low, low + step)
            for start_s in range(first_s, first_s + columns * width_s, width_s)
            for low in lows
        ]

    def put(self, queue_name: str, commands: Sequence[AnyCommand], origin: str = "bench") -> None:
        """Queue commands, a hundred a job."""
        queue = Queue(self.client, queue_name, origin)
        for start in range(0, len(commands), BATCH_COMMANDS_MAX):
            tickets = [Ticket(command) for command in commands[start : start + BATCH_COMMANDS_MAX]]
            queue.enqueue(tickets, SystemClock().now_ms())

    def put_bets(self, users: Sequence[str], cells: Sequence[Cell]) -> int:
        """Queue a bet of every user on every cell; return how many that are."""
        now_ms = SystemClock().now_ms()
        bets = [place_bet(user, cell, now_ms) for cell in cells for user in users]
        self.put(BETS, bets)
        return len(bets)

    def wait_for(self, query: str, count: int) -> None:
        """Wait until a query says so many."""
        pause = Event()
        for _ in range(WAIT_S_MAX * 5):
            if self.database.execute(query)[0][0] >= count:
                return
            pause.wait(0.2)
        found = self.database.execute(query)[0][0]
        raise BenchFailed(f"the writer alone came to {found}, not {count}: {query}")


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """Run a Redis below `folder` for the length of the block; its URL."""
    url = embedded_redis.prepare(folder)
    environment = {**os.environ, "LC_ALL": "C"}
    with child(embedded_redis.command(folder), environment, folder / "redis.log") as process:
        with connect(url) as client:
            wait_for(f"Redis ({folder / 'redis.log'})", lambda: _answers(client), process, START_S_MAX)
        yield url


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except OUTAGES:
        return False


@contextmanager
def lone_writer(folder: Path) -> Iterator[LoneWriter]:
    """Run a writer below `folder` for the length of the block."""
    with own_redis(folder) as url, connect(url) as client:
        environment = {**os.environ, **SETTINGS, "TAPTRADE_DATA": str(folder), "TAPTRADE_REDIS_URL": url}
        settings = load(environment)
        migrate_databases(settings)
        command = [sys.executable, "-P", "-m", "taptrade", "serve", "writer"]
        with child(command, environment, folder / "writer.log") as process:
            database = open_reader(settings.database)
            yield LoneWriter(process, client, database, grid_rules(settings))
            database.close()


def bets_per_s(folder: Path) -> float:
    """Return how many bets a second the writer commits when full jobs wait for it, by its own commits."""
    with lone_writer(folder) as writer:
        users = writer.open_accounts(USERS)
        # Halted while its queue is filled.
        writer.process.send_signal(signal.SIGSTOP)
        writer.show_price()
        bets = writer.put_bets(users, writer.cells(2))
        writer.process.send_signal(signal.SIGCONT)
        writer.wait_for(PLACED, bets)
        first_ms, last_ms, first_seq, last_seq = writer.database.execute(SPAN)[0]
    return float((last_seq - first_seq) / (last_ms - first_ms) * 1000)
