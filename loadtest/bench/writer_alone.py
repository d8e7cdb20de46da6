"""The real writer alone: jobs full of bets wait in its queue, and nothing else runs. What the bare SQL is held against.

The writer's process is halted while the queue is filled; how long it then takes is read from its own commits.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from loadtest.bench.children import BenchFailed, child
from loadtest.bench.yardsticks.alone import own_redis
from runtime.clock import SystemClock
from runtime.commands import AnyCommand, OpenAccount, PlaceBet
from runtime.db import Database, open_reader
from runtime.game.grid import Cell, GridRules, column_of
from runtime.game.ticks import Features, Tick
from runtime.queues import BATCH_COMMANDS_MAX, BETS, COMMANDS, Queue, Ticket, new_id
from runtime.redis_client import Client, connect
from runtime.redis_keys import TICK_LATEST
from runtime.settings import Settings, load
from runtime.wire import encode_tick
from taptrade.housekeeping import migrate_databases

USERS = 1_000
BETS_EACH = 20
STAKE_CENTS = 100
CREDIT_CENTS = 10**6
FIRST_COLUMN = 9
"""Far enough ahead that no column closes while its bets wait."""
PRICE_CENTS = 9_400_000
ROWS = 10
FEATURES = Features(volatility=200.0, sample_ms=200, history_ms=600_000)
DECIDED_WITHIN_MS = 40_000
WAIT_S_MAX = 60
SETTINGS = {"TAPTRADE_MAX_FILL_AGE_MS": "60000", "TAPTRADE_FEED": "sim"}
PLACED = "SELECT count(*) FROM bets WHERE refusal_code IS NULL"
SPAN = """
SELECT min(committed_ms), max(committed_ms), min(last_bet_seq), max(last_bet_seq)
FROM commits WHERE first_bet_seq IS NOT NULL
"""


def bets_per_s(folder: Path) -> float:
    """Return how many bets a second the writer commits when full jobs wait for it."""
    with own_redis(folder) as url:
        environment = {**os.environ, **SETTINGS, "TAPTRADE_DATA": str(folder), "TAPTRADE_REDIS_URL": url}
        settings = load(environment)
        migrate_databases(settings)
        command = [sys.executable, "-P", "-m", "taptrade", "serve", "writer"]
        with child(command, environment, folder / "writer.log") as process:
            client, database = connect(url), open_reader(settings.database)
            users = _open_accounts(client, database)
            process.send_signal(signal.SIGSTOP)
            _enqueue(client, settings, users)
            process.send_signal(signal.SIGCONT)
            bets = len(users) * BETS_EACH
            _wait_for_rows(database, PLACED, bets)
            first_ms, last_ms, first_seq, last_seq = database.execute(SPAN)[0]
            database.close()
            client.close()
    return float((last_seq - first_seq) / (last_ms - first_ms) * 1000)


def _open_accounts(client: Client, database: Database) -> list[str]:
    now_ms = SystemClock().now_ms()
    users = [new_id(now_ms) for _ in range(USERS)]
    commands = [
        OpenAccount(
            id=new_id(now_ms),
            received_ms=now_ms,
            decided_by_ms=now_ms + DECIDED_WITHIN_MS,
            user_id=user,
            wallet_address="0x" + secrets.token_hex(20),
            credit_cents=CREDIT_CENTS,
        )
        for user in users
    ]
    _put(client, COMMANDS, commands)
    _wait_for_rows(database, "SELECT count(*) FROM users", USERS)
    return users


def _enqueue(client: Client, settings: Settings, users: Sequence[str]) -> None:
    now_ms = SystemClock().now_ms()
    client.set(TICK_LATEST, encode_tick(Tick(now_ms, now_ms, PRICE_CENTS, PRICE_CENTS, PRICE_CENTS, "sim", FEATURES)))
    cells = _cells(settings, now_ms)
    _put(client, BETS, [_bet(user, cell, now_ms) for cell in cells for user in users])


def _cells(settings: Settings, now_ms: int) -> list[Cell]:
    rules = GridRules(settings.column_seconds, settings.horizon_columns, settings.row_step_cents, settings.rows)
    first_s = column_of(now_ms, rules) + FIRST_COLUMN * rules.column_seconds
    step = rules.row_step_cents
    lows = range(PRICE_CENTS - step * (ROWS // 2), PRICE_CENTS + step * (ROWS // 2), step)
    columns = range(first_s, first_s + rules.column_seconds * BETS_EACH // ROWS, rules.column_seconds)
    return [Cell(start_s, low, low + step) for start_s in columns for low in lows]


def _bet(user: str, cell: Cell, now_ms: int) -> PlaceBet:
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


def _put(client: Client, queue_name: str, commands: Sequence[AnyCommand]) -> None:
    queue = Queue(client, queue_name, "bench")
    for start in range(0, len(commands), BATCH_COMMANDS_MAX):
        tickets = [Ticket(command) for command in commands[start : start + BATCH_COMMANDS_MAX]]
        queue.enqueue(tickets, SystemClock().now_ms())


def _wait_for_rows(database: Database, query: str, count: int) -> None:
    pause = Event()
    for _ in range(WAIT_S_MAX * 5):
        if database.execute(query)[0][0] >= count:
            return
        pause.wait(0.2)
    found = database.execute(query)[0][0]
    raise BenchFailed(f"the writer alone wrote {found} rows, not {count}")
