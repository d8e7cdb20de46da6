"""Who waits for a Redis that does not come ends when told to, and leaves no process that asks for ever."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from runtime.messaging.connection import connect, wait_until_ready
from runtime.settings import load
from taptrade.housekeeping import migrate_databases
from taptrade.processes import command
from tests.waiting import wait_until


@pytest.mark.parametrize("name", ["functions", "jobs", "scheduler", "settler", "writer"])
def test_a_process_that_waits_ends_when_told_to(name: str, tmp_path: Path) -> None:
    migrate_databases(load({"TAPTRADE_DATA": str(tmp_path / "data")}))
    log = tmp_path / "log"
    environment = os.environ | {"TAPTRADE_DATA": str(tmp_path / "data"), "TAPTRADE_REDIS_URL": nowhere(tmp_path)}
    with log.open("wb") as output:
        process = subprocess.Popen(command(name), env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: "waiting for Redis" in log.read_text(), 20, what="a process that waits")
        process.terminate()
        process.wait(10)
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.integration
def test_a_wait_ends_with_the_event_that_it_pauses_with(tmp_path: Path) -> None:
    told = threading.Event()
    told.set()
    with connect(nowhere(tmp_path)) as client:
        assert not wait_until_ready(client, told.wait, attempts=2**31)


def nowhere(folder: Path) -> str:
    """Return an address that nobody listens at."""
    return f"unix://{folder}/nobody.sock"
