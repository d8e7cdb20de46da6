"""The real writer with a Redis of its own and nothing else: the bets a second it commits, the column it settles."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bets import PRICE_CENTS, column_ends, place_bet, stamped, tick
from loadtest.measurement import Found
from loadtest.processes import BenchFailed, child, wait_for
from runtime.clock import SystemClock
from runtime.game.grid import Cell, GridRules, column_of
from runtime.market.models import rules_of
from runtime.messaging.commands import OpenAccount, PlaceBet
from runtime.messaging.connection import Redis, connect, wait_until_ready
from runtime.messaging.queues import (
    BATCH_COMMANDS_MAX,
    BETS,
    Queue,
    Ticket,
    decode_outcomes,
    new_id,
    send_commands,
)
from runtime.messaging.redis_keys import TICK_LATEST, replies
from runtime.messaging.redis_values import encode_tick
from runtime.settings import load
from runtime.storage.database import Database, open_reader
from taptrade import embedded_redis
from taptrade.housekeeping import migrate_databases

CREDIT_CENTS = 10**6
VOLATILITY = 200.0
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
USERS_OF_COLUMN = 1_500
ROWS = 10
AHEAD = 9
"""Columns: far enough that none closes while its bets wait."""
OTHERS_PER_S = 500
ORIGIN = "beside"
SETTLED_S_MAX = 30
ANSWERS_EVERY_S = 0.002
PLACED = "SELECT count(*) FROM bets WHERE refusal_code IS NULL"
SETTLED = "SELECT begun_at, settled_at FROM columns WHERE settled_commit IS NOT NULL"
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
        commands = [
            OpenAccount(
                **stamped(now_ms),
                user_id=new_id(now_ms),
                wallet_address="0x" + secrets.token_hex(20),
                credit_cents=CREDIT_CENTS,
            )
            for _ in range(count)
        ]
        send_commands(self.client, commands, "bench", now_ms)
        self.wait_for("SELECT count(*) FROM users", count)
        return [command.user_id for command in commands]

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

    def put_bets(self, bets: Sequence[PlaceBet], origin: str = "bench") -> int:
        """Queue bets, a hundred a job; return how many they are."""
        queue = Queue(self.client, BETS, origin)
        for start in range(0, len(bets), BATCH_COMMANDS_MAX):
            tickets = [Ticket(bet) for bet in bets[start : start + BATCH_COMMANDS_MAX]]
            queue.enqueue(tickets, SystemClock().now_ms())
        return len(bets)

    def wait_for(self, query: str, count: int) -> None:
        """Wait until a query says so many."""
        there = f"{count} in the writer's database: {query}"
        wait_for(there, lambda: bool(self.database.execute(query)[0][0] >= count), self.process, WAIT_S_MAX)


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """Run a Redis below `folder` for the length of the block; its URL."""
    url = embedded_redis.prepare(folder)
    environment = {**os.environ, "LC_ALL": "C"}
    log, is_bound = folder / "redis.log", Path(url.removeprefix("unix://")).is_socket
    with child(embedded_redis.command(folder), environment, log) as process, connect(url) as client:
        wait_for(f"Redis ({log})", is_bound, process, WAIT_S_MAX)
        wait_until_ready(client, time.sleep)
        yield url


@contextmanager
def lone_writer(folder: Path) -> Iterator[LoneWriter]:
    """Run a writer below `folder` for the length of the block."""
    with own_redis(folder) as url, connect(url) as client:
        environment = {**os.environ, **SETTINGS, "TAPTRADE_DATA": str(folder), "TAPTRADE_REDIS_URL": url}
        settings = load(environment)
        migrate_databases(settings)
        command = [sys.executable, "-I", "-m", "taptrade", "serve", "writer"]
        with child(command, environment, folder / "writer.log") as process:
            database = open_reader(settings.database)
            yield LoneWriter(process, client, database, rules_of(settings))
            database.close()


def bets_on(users: Sequence[str], cells: Sequence[Cell]) -> Iterator[PlaceBet]:
    """Make a bet of every user on every cell."""
    return (place_bet(user, cell, SystemClock().now_ms()) for cell in cells for user in users)


def bets_per_s(folder: Path) -> float:
    """Return how many bets a second the writer commits when full jobs wait for it, by its own commits."""
    with lone_writer(folder) as writer:
        users = writer.open_accounts(USERS)
        # Halted while its queue is filled.
        writer.process.send_signal(signal.SIGSTOP)
        writer.show_price()
        bets = writer.put_bets([*bets_on(users, writer.cells(2))])
        writer.process.send_signal(signal.SIGCONT)
        writer.wait_for(PLACED, bets)
        first_ms, last_ms, first_seq, last_seq = writer.database.execute(SPAN)[0]
    return float((last_seq - first_seq) / (last_ms - first_ms) * 1000)


def settle_one(folder: Path) -> Found:
    """End a column of 15,000 bets, and go on placing bets on another one until all of its bets have ended."""
    with lone_writer(folder) as writer:
        users = writer.open_accounts(USERS_OF_COLUMN)
        writer.show_price()
        cells = writer.cells(2)
        bets = writer.put_bets([*bets_on(users, cells[:ROWS])])
        writer.wait_for(PLACED, bets)
        now_ms = SystemClock().now_ms()
        # The price stands still: the cells that it lies in win.
        end = column_ends(cells[0].start_s, writer.rules.column_seconds, now_ms, touched_rows=0)
        send_commands(writer.client, [end], "bench", now_ms)
        waited_ms = waits_beside(writer, bets_on(users, cells[ROWS:]))
        begun_ms, settled_ms = writer.database.execute(SETTLED)[0]
    return {
        "bets": bets,
        "placed_per_s": OTHERS_PER_S,
        # From the commit that began the column to the one that ended it.
        "settled_ms": settled_ms - begun_ms,
        # The longest that a bet placed meanwhile waited, from its enqueue to its answer.
        "waited_ms_max": round(max(waited_ms), 1),
    }


def waits_beside(writer: LoneWriter, bets: Iterator[PlaceBet]) -> list[float]:
    """Place bets on schedule, one at a time, until the column has settled; return how long each waited."""
    sent_s: dict[str, float] = {}
    waited_ms: list[float] = []
    settled, count, start_s = False, 0, time.perf_counter()
    while not settled or sent_s:
        now_s = time.perf_counter()
        if now_s > start_s + SETTLED_S_MAX:
            raise BenchFailed(f"after {SETTLED_S_MAX} s: settled {settled}, {len(sent_s)} bets not answered")
        settled = settled or bool(writer.database.execute(SETTLED))
        if not settled and now_s >= start_s + count / OTHERS_PER_S:
            bet, count = next(bets), count + 1
            sent_s[bet.id] = time.perf_counter()
            writer.put_bets([bet], ORIGIN)
        answers: Any = writer.client.lpop(replies(ORIGIN), 100)
        now_s = time.perf_counter()
        for outcome in [outcome for data in answers or () for outcome in decode_outcomes(data)]:
            if outcome.code is not None:
                raise BenchFailed(f"a bet beside the settlement was refused: {outcome.code}")
            waited_ms.append((now_s - sent_s.pop(outcome.id)) * 1000)
        time.sleep(ANSWERS_EVERY_S if settled else max(start_s + count / OTHERS_PER_S - time.perf_counter(), 0.0))
    return waited_ms
