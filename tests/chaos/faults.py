"""The faults: each breaks one thing while players play, says what it expects of the system, and mends it again."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from runtime.messaging.connection import OUTAGES
from runtime.storage.database import open_writer
from tests.chaos.disk import full
from tests.chaos.papers import OldPapers
from tests.chaos.stage import Stage
from tests.waiting import wait_until

KILLED = ("api", "writer", "settler", "scheduler", "jobs", "functions", "feed", "redis")
BUSY_S = 8.0
"""Longer than the writer's busy time-out."""
OUTAGE_S = 4.0
STOPPED_S = 10.0
SILENT_S = 13.0
"""Longer than the gap that a covered window may have."""
ROOT = Path(__file__).resolve().parents[2]


def kills(number: int, pause_s: tuple[float, float]) -> Callable[[Stage], None]:
    """Kill processes by SIGKILL, one after the other at random moments; the supervisor starts them again."""

    def inject(stage: Stage) -> None:
        for count in range(1, number + 1):
            stage.pause(stage.random.uniform(*pause_s))
            name = stage.random.choice(KILLED)
            pid = wait_until(lambda name=name: stage.system.pid_of(name), 20, what=f"{name} to run")  # type: ignore[misc]
            stage.crowd.fault = f"kill {name}"
            stage.kills[stage.crowd.fault] += 1
            stage.tell(f"kill {count} of {number}: {name}")
            with suppress(ProcessLookupError):
                os.kill(_one_of(stage, name, pid), signal.SIGKILL)
        wait_until(stage.system.is_well, 60, every_s=0.2, what="a healthy system after the kills")

    return inject


def _one_of(stage: Stage, name: str, pid: int) -> int:
    """Choose gunicorn's master or one of its workers; the others are one process each."""
    if name != "api" or stage.random.random() < 0.5:
        return pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(stage.random.choice(children)) if children else pid


def deaths(when: Literal["before", "after"], number: int) -> Callable[[Stage], None]:
    """Let the writer die so many times in a row, after a COMMIT and right before or after its publication."""

    def inject(stage: Stage) -> None:
        system = stage.system
        system.halt("writer")
        command = [sys.executable, "-m", "tests.chaos.dying_writer", when, str(number)]
        variables = system.variables | {"TAPTRADE_REDIS_URL": system.redis_url, "PYTHONPATH": str(ROOT)}
        log = (system.data / "logs" / "dying_writer.log").open("ab")
        with log, subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=log, text=True) as process:
            died = 0
            for line in process.stdout or ():
                died = int(line)
                stage.tell(f"death {died} of {number} right {when} publication")
        stage.aimed_kills += died
        stage.expect(died == number, f"the writer died {died} times right {when} publication, not {number}")
        system.resume("writer")

    return inject


def sqlite_busy(stage: Stage) -> None:
    """Hold the write lock of the database from another process, which is this one."""
    other = open_writer(stage.system.settings.database, checkpoint_pages=0)
    try:
        with other.transaction():
            stage.tell("another process holds the write lock")
            stage.pause(BUSY_S)
            stage.expect(stage.crowd.codes()[202, ""] > 0, "no bet was answered 202 while the database was locked")
    finally:
        other.close()


def disk_full(stage: Stage) -> None:
    """Fill the disk under the whole data folder."""
    with full(stage.system.data):
        stage.tell("the disk is full")
        stage.pause(OUTAGE_S)
    stage.tell("the disk has room again")


def files_cannot_grow(stage: Stage) -> None:
    """Stand in for a full disk where none can be mounted: no file of the writer's may grow."""
    pid = stage.system.pid_of("writer")
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        stage.tell("the writer's files cannot grow")
        stage.pause(OUTAGE_S)
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def redis_down(stage: Stage) -> None:
    """Stop Redis for some seconds; it comes back with what it knew."""
    with _redis_stopped(stage):
        refused = stage.crowd.codes()[503, "UNAVAILABLE"]
        stage.tell("Redis is down")
        stage.pause(OUTAGE_S)
        refused = stage.crowd.codes()[503, "UNAVAILABLE"] - refused
        stage.expect(refused > 0, "nothing was answered 503 UNAVAILABLE while Redis was down")


@contextmanager
def _redis_stopped(stage: Stage) -> Iterator[None]:
    stage.system.halt("redis")
    try:
        yield
    finally:
        stage.system.resume("redis")
    wait_until(lambda: _answers(stage), 20, what="Redis")


def _answers(stage: Stage) -> bool:
    with stage.system.redis() as client, suppress(*OUTAGES):
        return bool(client.ping())
    return False


def redis_empty(stage: Stage) -> None:
    """Let Redis come back with nothing; what was signed before is worth nothing from then on."""
    before = OldPapers(stage)
    with _redis_stopped(stage):
        stage.tell("Redis loses everything")
        for path in (stage.system.data / "redis").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before.must_be_refused(stage)


def redis_out_of_memory(stage: Stage) -> None:
    """Leave Redis no memory: nothing can be queued, so everything that needs that is refused."""
    with stage.system.redis() as client:
        usual = client.config_get("maxmemory")["maxmemory"]
        refused = stage.crowd.codes()[503, "UNAVAILABLE"]
        client.config_set("maxmemory", "1")
        stage.tell("Redis is out of memory")
        stage.pause(OUTAGE_S)
        refused = stage.crowd.codes()[503, "UNAVAILABLE"] - refused
        stage.expect(refused > 0, "nothing was answered 503 UNAVAILABLE while Redis was out of memory")
        client.config_set("maxmemory", usual)


def writer_stopped(stage: Stage) -> None:
    """Stop the writer under load: 202 first, 503 OVERLOADED once the backlog is full, then it catches up."""
    stage.system.kill("writer", signal.SIGSTOP)
    try:
        stage.tell("the writer stands still")
        stage.pause(STOPPED_S)
        codes = stage.crowd.codes()
        stage.expect(codes[202, ""] > 0, "no bet was answered 202 while the writer stood still")
        stage.expect(codes[503, "OVERLOADED"] > 0, "no bet was answered 503 OVERLOADED with a full backlog")
    finally:
        stage.system.kill("writer", signal.SIGCONT)
    with stage.system.redis() as client:
        wait_until(lambda: int(client.get("backlog:bets") or 0) < 10, 30, what="the backlog to be worked off")


def feed_silent(stage: Stage) -> None:
    """Stop the feed: bets are refused, windows without prices are void, and every stake of theirs comes back."""
    stage.system.kill("feed", signal.SIGSTOP)
    try:
        stage.tell("no prices come")
        stage.pause(SILENT_S)
        stale = stage.crowd.codes()[503, "PRICE_FEED_STALE"]
        stage.expect(stale > 0, "nothing was answered 503 PRICE_FEED_STALE without prices")
    finally:
        stage.system.kill("feed", signal.SIGCONT)
    with stage.system.database() as database:
        wait_until(lambda: database.execute("SELECT 1 FROM bets WHERE status = 'void' LIMIT 1"), 90, what="a refund")
