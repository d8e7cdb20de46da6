"""The read pool under gevent: what fails in one of its threads is raised where it was asked, and logs little."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from runtime.clock import ManualClock
from runtime.errors import NotFound, Unavailable
from runtime.log import SAME_LINES_MAX
from runtime.storage.database import OperationalError, open_writer
from runtime.storage.read_pool import ReadPool

FAILING = """
from gevent import monkey
monkey.patch_all()
import sys
from contextlib import suppress
from pathlib import Path
from runtime.clock import SystemClock
from runtime.errors import NotFound
from runtime.log import configure
from runtime.storage.read_pool import ReadPool
from runtime.wiring import off_the_loop

def refuse(execute):
    raise NotFound("there is none")

configure("api")
missing, there = (ReadPool(Path(sys.argv[1]) / name, SystemClock(), off_the_loop()) for name in ("missing", "some.db"))
asked = (lambda: missing.execute("SELECT 1"), lambda: there.execute("SELECT nothing"), lambda: there.together(refuse))
for ask in asked:
    raised = set()
    for _ in range(100):
        try:
            ask()
        except Exception as ex:
            raised.add(type(ex).__name__)
    print(*raised)
"""
LEAVING = """
import gc
import sys
from pathlib import Path
from runtime.clock import SystemClock
from runtime.errors import Unavailable
from runtime.storage.read_pool import ReadPool

pool = ReadPool(Path(sys.argv[1]) / "missing.db", SystemClock())

def ask():
    try:
        pool.execute("SELECT 1")
    except Unavailable as ex:
        print(type(ex).__name__)

ask()  # the first error of a process leaves what was made once for all
gc.collect()
gc.disable()
for _ in range(10):
    ask()
print(gc.collect())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_writer(tmp_path / "some.db").close()
    return tmp_path


def opened(file: Path) -> int:
    """Return how many times this process has a file open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(each.readlink())
    return found.count(file)


def test_a_thread_that_fails_writes_a_few_lines_of_json_and_no_traceback(folder: Path) -> None:
    command = [sys.executable, "-c", FAILING, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.split() == ["Unavailable", "OperationalError", "NotFound"]
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["message"].partition(":")[0] for line in lines} == {"a query was given up"}
    assert len(lines) == SAME_LINES_MAX


def test_what_is_raised_in_the_work_is_raised_to_who_asked(folder: Path, clock: ManualClock) -> None:
    pool = ReadPool(folder / "some.db", clock)

    def refuse(_execute: Any) -> None:
        raise NotFound("there is none")

    with pytest.raises(NotFound, match="there is none"):
        pool.together(refuse)
    with pytest.raises(TypeError):
        pool.execute("SELECT ?1", (object(),))
    with pytest.raises(Unavailable, match="could not be read in time"):
        ReadPool(folder / "missing.db", clock).rows("SELECT 1")
    assert pool.execute("SELECT 1") == [(1,)]


def test_a_connection_is_closed_after_a_failure_and_kept_after_a_refusal(folder: Path, clock: ManualClock) -> None:
    pool = ReadPool(folder / "some.db", clock)

    def refuse(_execute: Any) -> None:
        raise NotFound("there is none")

    gc.disable()
    try:
        for _ in range(3):
            with pytest.raises(NotFound):
                pool.together(refuse)
        assert opened(folder / "some.db") == 1
        for _ in range(3):
            with pytest.raises(OperationalError, match="no such column: x"):
                pool.execute("SELECT x")
        assert opened(folder / "some.db") == 0
    finally:
        gc.enable()


def test_an_error_leaves_no_cycle_behind(folder: Path) -> None:
    """Asked in a process of its own: in this one threads of other tests may still leave theirs."""
    command = [sys.executable, "-c", LEAVING, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.split() == ["Unavailable"] * 11 + ["0"]
