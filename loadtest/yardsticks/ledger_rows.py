"""The writer's four statements for each bet without the writer: in bare loops, and as most would write a job."""

from __future__ import annotations

import itertools
import time
from functools import cache
from pathlib import Path

from rq import Queue, SimpleWorker

from loadtest.bench.commands import STAKE_CENTS
from loadtest.growth.fill import Layout, create
from runtime.clock import SystemClock
from runtime.game.ledger import SQL
from runtime.messaging.connection import connect
from runtime.storage.database import Database, Row, open_writer

USERS = 1_000
MEASURE_S = 4.0
JOBS = 400
LAYOUT = Layout(
    users=USERS,
    user=f"i % {USERS}",
    # A user's bets are on different cells.
    start_s=f"(1790000000 + 5 * (i / {20 * USERS}))",
    low_cents=f"(9400000 + 500 * (i / {USERS} % 20))",
)
BETS, STAKES = LAYOUT.rows("bets"), LAYOUT.rows("stakes")
LAST_ENTRY, DEBIT, INSERT_ENTRY = SQL["last_entry"], SQL["debit"], SQL["insert_entry"]


def open_ledger(path: Path) -> Database:
    """Create a database with the live one's schema and pragmas, and users with money."""
    return create(path, SystemClock(), USERS)


def rows_of(database: Database, first: int, last: int) -> list[tuple[Row, Row]]:
    """Return the rows of some bets, and of the entry that each one leaves."""
    return list(zip(database.execute(BETS, (first, last)), database.execute(STAKES, (first, last)), strict=True))


def place(database: Database, bet: Row, entry: Row) -> None:
    """Place one bet with four statements; the caller holds the transaction."""
    entry_id, user, created_ms = entry[0], entry[1], entry[7]
    database.execute(LAST_ENTRY, (user,))
    database.execute(DEBIT, (STAKE_CENTS, created_ms, entry_id, user, STAKE_CENTS, STAKE_CENTS))
    database.execute(SQL["insert_bet"], bet)
    database.execute(INSERT_ENTRY, entry)


def bets_per_s(path: Path, bets_per_transaction: int) -> float:
    """Return bets a second when so many share a transaction.

    The rows are made beforehand and not counted: what is measured is SQLite, its driver and the disk.
    """
    database = open_ledger(path)
    seconds = 0.0
    for first in itertools.count(1, bets_per_transaction):
        if seconds >= MEASURE_S:
            break
        rows = rows_of(database, first, first + bets_per_transaction - 1)
        start_s = time.perf_counter()
        with database.transaction():
            for bet, entry in rows:
                place(database, bet, entry)
        seconds += time.perf_counter() - start_s
    database.close()
    return (first - 1) / seconds


def place_alone(path: str, number: int) -> int:
    """Place one bet in a transaction of its own through Peewee. The job."""
    database = _database(path)
    [(bet, entry)] = rows_of(database, number, number)
    with database.transaction():
        place(database, bet, entry)
    return number


def jobs_per_s(url: str, path: Path) -> float:
    """Return how many such jobs RQ's SimpleWorker does in a second; that they are enqueued costs nothing here."""
    open_ledger(path).close()
    client = connect(url, block_s=10)
    queue = Queue("plain", connection=client)
    for number in range(1, JOBS + 1):
        queue.enqueue(place_alone, str(path), number)
    worker = SimpleWorker([queue], connection=client)
    start_s = time.perf_counter()
    worker.work(burst=True, logging_level="WARNING")
    seconds = time.perf_counter() - start_s
    done = int(_database(str(path)).execute("SELECT count(*) FROM bets")[0][0])
    return done / seconds


@cache
def _database(path: str) -> Database:
    return open_writer(Path(path))
