"""One plain RQ job for each bet, as most would write it: RQ's SimpleWorker, and a transaction through Peewee."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from rq import Queue, SimpleWorker

from loadtest.bench.yardsticks import ledger_rows
from runtime.messaging.connection import connect
from runtime.storage.database import Database, open_writer

JOBS = 400


def place(path: str, number: int) -> int:
    """Place one bet. The job."""
    database = _database(path)
    with database.transaction():
        ledger_rows.place(database, number)
    return number


def jobs_per_s(url: str, path: Path) -> float:
    """Return how many such jobs a worker does in a second; that they are enqueued costs nothing here."""
    ledger_rows.open_ledger(path).close()
    client = connect(url, block_s=10)
    queue = Queue("plain", connection=client)
    for number in range(JOBS):
        queue.enqueue(place, str(path), number)
    worker = SimpleWorker([queue], connection=client)
    start_s = time.perf_counter()
    worker.work(burst=True, logging_level="WARNING")
    seconds = time.perf_counter() - start_s
    done = int(_database(str(path)).execute("SELECT count(*) FROM bets")[0][0])
    return done / seconds


@cache
def _database(path: str) -> Database:
    return open_writer(Path(path))
