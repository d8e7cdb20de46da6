"""The yardsticks measured, each three times: what simpler things do in a second on this machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from jobs.writer.inbox import BETS_SLICE
from loadtest.bench.processes import apart
from loadtest.bench.stage import Stage
from loadtest.measurement import Trial
from loadtest.server import run as empty_function
from loadtest.yardsticks import ledger_rows, lone_writer, one_column
from loadtest.yardsticks.one_column import OneColumn

REPEATS = 3
Found = TypeVar("Found")


class Yardstick(Struct):
    """What a simpler thing does in a second: three measurements and their median."""

    runs: list[float]
    per_s: float


def yardstick(runs: list[float]) -> Yardstick:
    """Put three measurements together."""
    return Yardstick([round(run, 1) for run in runs], round(sorted(runs)[len(runs) // 2], 1))


def plain_rq_job(folder: Path) -> float:
    """Return bets a second of one plain RQ job each."""
    with lone_writer.own_redis(folder) as url:
        return apart(ledger_rows.jobs_per_s, url, folder / "ledger.db")


def bare_sql(bets_per_transaction: int, folder: Path) -> float:
    """Return bets a second of the writer's bare SQL."""
    return apart(ledger_rows.bets_per_s, folder / "ledger.db", bets_per_transaction)


ALONE: dict[str, tuple[Callable[[Path], float], int]] = {
    "plain_rq_job": (plain_rq_job, 6),
    "transaction_per_bet": (partial(bare_sql, 1), 6),
    "bare_sql": (partial(bare_sql, 100), 8),
    "bare_sql_full": (partial(bare_sql, BETS_SLICE), 8),
    "writer_alone": (lone_writer.bets_per_s, 10),
}
"""What needs no system, and about how many seconds one measurement takes."""


def of_functions(on: Stage) -> dict[str, Yardstick]:
    """Measure an empty function on the running system, and on gunicorn's own worker."""
    domain, display = on.running.settings.domain, on.trial.display
    with display.step("an empty function", 2 * REPEATS * 6):
        ours = [empty_function.calls_per_s(on.port, domain) for _ in range(REPEATS)]
        with empty_function.gevent_worker(on, on.trial.folder / "gevent") as port:
            theirs = [empty_function.calls_per_s(port, domain) for _ in range(REPEATS)]
    return {"empty_function": yardstick(ours), "gunicorn_gevent_function": yardstick(theirs)}


def alone(trial: Trial) -> dict[str, Yardstick]:
    """Measure what needs no system."""
    return {
        name: yardstick(_thrice(trial, name, measure, seconds, lambda found: f"{found:,.0f}/s"))
        for name, (measure, seconds) in ALONE.items()
    }


def columns(trial: Trial) -> list[OneColumn]:
    """Let three columns end, and order them by how long that took."""
    runs = _thrice(trial, "one column", one_column.settle_one, 15, lambda found: f"{found.settled_ms} ms")
    return sorted(runs, key=lambda run: run.settled_ms)


def _thrice(
    trial: Trial, name: str, measure: Callable[[Path], Found], seconds: int, say: Callable[[Found], str]
) -> list[Found]:
    runs: list[Found] = []
    with trial.display.step(name.replace("_", " "), REPEATS * seconds) as show:
        for repeat in range(REPEATS):
            folder = trial.folder / f"{name.replace(' ', '-')}-{repeat}"
            folder.mkdir()
            runs.append(measure(folder))
            show(say(runs[-1]))
    return runs
