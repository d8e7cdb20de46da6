"""The real writer's process with a Redis of its own and nothing else around it, for what is measured on it alone."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from loadtest.bench.children import BenchFailed, child
from loadtest.bench.yardsticks.alone import own_redis
from runtime.clock import SystemClock
from runtime.game.grid import Cell, GridRules, column_of
from runtime.game.ticks import Features, Tick
from runtime.messaging.commands import AnyCommand, OpenAccount, PlaceBet
from runtime.messaging.connection import Redis, connect
from runtime.messaging.queues import BATCH_COMMANDS_MAX, COMMANDS, Queue, Ticket, new_id
from runtime.messaging.redis_keys import TICK_LATEST
from runtime.messaging.redis_values import encode_tick
from runtime.settings import Settings, load
from runtime.storage.database import Database, open_reader
from taptrade.housekeeping import migrate_databases

STAKE_CENTS = 100
CREDIT_CENTS = 10**6
PRICE_CENTS = 9_400_000
FEATURES = Features(volatility=200.0, sample_ms=200, history_ms=600_000)
DECIDED_WITHIN_MS = 40_000
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


@dataclass(slots=True)
class LoneWriter:
    """A writer that takes what the bench puts into its queues."""

    process: subprocess.Popen[bytes]
    settings: Settings
    client: Redis
    database: Database
    rules: GridRules = field(init=False)

    def __post_init__(self) -> None:
        made = self.settings
        self.rules = GridRules(made.column_seconds, made.horizon_columns, made.row_step_cents, made.rows)

    def open_accounts(self, count: int) -> list[str]:
        """Open accounts with plenty of money; return their users."""
        now_ms = SystemClock().now_ms()
        users = [new_id(now_ms) for _ in range(count)]
        self.put(
            COMMANDS,
            [
                OpenAccount(
                    id=new_id(now_ms),
                    received_ms=now_ms,
                    decided_by_ms=now_ms + DECIDED_WITHIN_MS,
                    user_id=user,
                    wallet_address="0x" + secrets.token_hex(20),
                    credit_cents=CREDIT_CENTS,
                )
                for user in users
            ],
        )
        self.wait_for("SELECT count(*) FROM users", count)
        return users

    def show_price(self) -> None:
        """Publish a tick of this moment, which bets are filled at for a minute."""
        now_ms = SystemClock().now_ms()
        tick = Tick(now_ms, now_ms, PRICE_CENTS, PRICE_CENTS, PRICE_CENTS, "sim", FEATURES)
        self.client.set(TICK_LATEST, encode_tick(tick))

    def cells(self, columns_ahead: int, columns: int, rows: int) -> list[Cell]:
        """Return the cells around the price in some columns, the first of them so many ahead."""
        width_s, step = self.rules.column_seconds, self.rules.row_step_cents
        first_s = column_of(SystemClock().now_ms(), self.rules) + columns_ahead * width_s
        lows = [PRICE_CENTS + step * (row - rows // 2) for row in range(rows)]
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
def lone_writer(folder: Path) -> Iterator[LoneWriter]:
    """Run a writer below `folder` for the length of the block."""
    with own_redis(folder) as url:
        environment = {**os.environ, **SETTINGS, "TAPTRADE_DATA": str(folder), "TAPTRADE_REDIS_URL": url}
        settings = load(environment)
        migrate_databases(settings)
        command = [sys.executable, "-P", "-m", "taptrade", "serve", "writer"]
        with child(command, environment, folder / "writer.log") as process:
            client, database = connect(url), open_reader(settings.database)
            yield LoneWriter(process, settings, client, database)
            database.close()
            client.close()


def bet(user: str, cell: Cell) -> PlaceBet:
    """Return a bet as the API would queue it."""
    now_ms = SystemClock().now_ms()
    return PlaceBet(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms + DECIDED_WITHIN_MS,
        user_id=user,
        cell_id=cell.id,
        amount=STAKE_CENTS,
        min_rate_bp=10_000,
        nonce=secrets.token_hex(16),
        signed_at_s=now_ms // 1000,
        signature="0x" + secrets.token_hex(65),
        signer="0x" + secrets.token_hex(20),
    )
