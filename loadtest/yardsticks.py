"""What simpler things do in a second on this machine, three times each: bare loops of SQL, RQ, functions."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.markup import escape
from rq import Queue, SimpleWorker

from jobs.writer.inbox import BETS_SLICE
from loadtest import lone_writer, postgres, server
from loadtest.bets import ENTERED_MS, STAKE_CENTS, STATEMENTS, Layout, create, user_id
from loadtest.measurement import Found, Trial
from loadtest.processes import apart
from loadtest.stage import Stage
from runtime.clock import SystemClock
from runtime.game.ids import ulid_text
from runtime.game.ledger import SQL
from runtime.game.rows import ROWS
from runtime.messaging.connection import connect
from runtime.storage.database import Database, Row, open_writer

REPEATS = 3
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
BETS, STAKES, INSERT_BET = LAYOUT.rows("bets"), LAYOUT.rows("stakes"), STATEMENTS["insert_bet"]
LAST_ENTRY, DEBIT, INSERT_ENTRY = STATEMENTS["last_entry"], SQL["debit"], ROWS["insert_entry"]


def open_ledger(path: Path) -> Database:
    """Create a database with the live one's schema and pragmas, and users with money."""
    return create(path, SystemClock(), USERS)


def rows_of(database: Database, first: int, last: int) -> list[tuple[Row, Row]]:
    """Return the rows of some bets, and of the entry that each one leaves."""
    return list(zip(database.execute(BETS, (first, last)), database.execute(STAKES, (first, last)), strict=True))


def place(database: Database, bet: Row, entry: Row) -> None:
    """Place one bet with four statements; the caller holds the transaction."""
    entry_id, user = ulid_text(entry[0]), entry[1]
    database.execute(LAST_ENTRY, (user_id(user - 1, USERS),))
    database.execute(DEBIT, (STAKE_CENTS, ENTERED_MS, entry_id, user, STAKE_CENTS, STAKE_CENTS))
    database.execute(INSERT_BET, bet)
    database.execute(INSERT_ENTRY, entry)


def sql_bets_per_s(path: Path, bets_per_transaction: int) -> float:
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


def plain_rq_job(folder: Path) -> float:
    """Return bets a second of one plain RQ job each."""
    with lone_writer.own_redis(folder) as url:
        return apart(jobs_per_s, url, folder / "ledger.db")


def bare_sql(bets_per_transaction: int, folder: Path) -> float:
    """Return bets a second of the writer's bare SQL."""
    return apart(sql_bets_per_s, folder / "ledger.db", bets_per_transaction)


ALONE: dict[str, tuple[Callable[[Path], float], int]] = {
    "plain_rq_job": (plain_rq_job, 6),
    "transaction_per_bet": (partial(bare_sql, 1), 6),
    "bare_sql": (partial(bare_sql, 100), 8),
    "bare_sql_full": (partial(bare_sql, BETS_SLICE), 8),
    "writer_alone": (lone_writer.bets_per_s, 10),
}
"""What needs no system, and about how many seconds one measurement takes."""


def yardstick(runs: list[float]) -> Found:
    """Put three measurements together; the median counts."""
    return {"runs": [round(run, 1) for run in runs], "per_s": round(median(runs), 1)}


def of_functions(on: Stage) -> dict[str, Found]:
    """Measure an empty function on the running system, and on gunicorn's own worker."""
    domain = on.running.settings.domain
    with on.trial.display.step("an empty function", 2 * REPEATS * 6):
        ours = [server.calls_per_s(on.port, domain) for _ in range(REPEATS)]
        with server.gevent_worker(on, on.trial.folder / "gevent") as port:
            theirs = [server.calls_per_s(port, domain) for _ in range(REPEATS)]
    return {"empty_function": yardstick(ours), "gunicorn_gevent_function": yardstick(theirs)}


def of_postgres(trial: Trial) -> dict[str, Found]:
    """Measure pgbench's TPC-B; where PostgreSQL cannot be run, say so loudly, and nothing."""
    try:
        with (
            trial.display.step("pgbench's TPC-B", 10 + REPEATS * postgres.SECONDS),
            postgres.cluster(trial.folder / "postgres") as running,
        ):
            return {"pgbench_tpcb": yardstick([postgres.tpcb_per_s(running) for _ in range(REPEATS)])}
    except postgres.NoPostgres as ex:
        trial.display.say(f"[bold red]left out: pgbench's TPC-B: {escape(str(ex))}[/]")
        return {}


def alone(trial: Trial) -> dict[str, Found]:
    """Measure what needs no system."""
    return {name: yardstick(_thrice(trial, name, measure, seconds)) for name, (measure, seconds) in ALONE.items()}


def columns(trial: Trial) -> list[Found]:
    """Let three columns end, and order them by how long that took."""
    runs = _thrice(trial, "one column", lone_writer.settle_one, 15)
    return sorted(runs, key=lambda run: int(run["settled_ms"]))


def held_against(highest_rate: int, measured: Mapping[str, Found]) -> Found:
    """Divide the highest rate by each yardstick, and what the writer does alone by the bare loops."""
    per_s = {name: one["per_s"] for name, one in measured.items()}
    writer_per_s = per_s.pop("writer_alone")
    return {
        "yardsticks": {name: measured[name] for name in per_s},
        "ratios": {name: round(highest_rate / one, 3) for name, one in per_s.items()},
        "writer_alone": measured["writer_alone"],
        "writer_of_bare_sql": {name: round(writer_per_s / per_s[name], 3) for name in ("bare_sql", "bare_sql_full")},
    }


def _thrice(trial: Trial, name: str, measure: Callable[[Path], Any], seconds: int) -> list[Any]:
    runs = []
    with trial.display.step(name.replace("_", " "), REPEATS * seconds) as show:
        for repeat in range(REPEATS):
            show(f"{repeat + 1} of {REPEATS}")
            folder = trial.folder / f"{name.replace(' ', '-')}-{repeat}"
            folder.mkdir()
            runs.append(measure(folder))
    return runs
