"""Yardsticks that need no running system: each measurement in a fresh process, with stores of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from jobs.writer.inbox import BETS_SLICE
from loadtest.bench.children import child, wait_for
from loadtest.bench.yardsticks import plain_job, sql
from runtime.messaging.connection import OUTAGES, connect
from taptrade import embedded_redis

START_S_MAX = 10


def plain_rq_job(folder: Path) -> float:
    """Return bets a second of one plain RQ job each."""
    with own_redis(folder) as url:
        return _apart(plain_job.jobs_per_s, url, folder / "ledger.db")


def transaction_per_bet(folder: Path) -> float:
    """Return bets a second of one SQLite transaction each."""
    return _apart(sql.transaction_per_bet, folder / "ledger.db")


def bare_sql(folder: Path) -> float:
    """Return bets a second of the writer's bare SQL, a hundred in a transaction."""
    return _apart(sql.bare_sql, folder / "ledger.db", 100)


def bare_sql_full(folder: Path) -> float:
    """Return the same with as many in a transaction as the writer takes when that many wait."""
    return _apart(sql.bare_sql, folder / "ledger.db", BETS_SLICE)


def _apart(measure: Callable[..., float], *arguments: Any) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """Run a Redis below `folder` for the length of the block; its URL."""
    url = embedded_redis.prepare(folder)
    environment = {**os.environ, "LC_ALL": "C"}
    with child(embedded_redis.command(folder), environment, folder / "redis.log") as process:
        client = connect(url)
        wait_for(f"Redis ({folder / 'redis.log'})", lambda: _answers(client), process, START_S_MAX)
        client.close()
        yield url


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except OUTAGES:
        return False
