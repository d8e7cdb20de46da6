"""What processes tell systemd: when they are ready, that their work gets on, that they stop; and who falls silent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.settings import load
from taptrade.housekeeping import migrate_databases
from tests.acceptance.system import free_port
from tests.function_settings import outside
from tests.waiting import wait_until

START_S = 60
SILENCE_S = 3.5
"""Longer than three times what lies between two signs of life."""
ROLES = ("settler", "scheduler", "dashboard", "api")


class Ear:
    """The socket that systemd would listen on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def hear(self, words: str, seconds: float = START_S) -> str:
        """Wait for these words and return what they came with."""
        self._socket.settimeout(seconds)
        while True:
            told = self._socket.recv(1_000).decode()
            if words in told.splitlines():
                return told

    def is_silent(self, seconds: float) -> bool:
        """Tell whether nothing comes for so long."""
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(1_000)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()

    def forget(self) -> None:
        """Leave out what was told until now."""
        while not self.is_silent(0.001):
            pass


@pytest.fixture
def variables(tmp_path: Path, redis_url: str) -> dict[str, str]:
    """Settings of a house with a database and nothing at work."""
    own = {
        "TAPTRADE_DATA": str(tmp_path / "data"),
        "TAPTRADE_REDIS_URL": redis_url,
        "TAPTRADE_FEED": "sim",
        "TAPTRADE_PORT": str(free_port()),
        "TAPTRADE_DASHBOARD_PORT": str(free_port()),
    }
    (tmp_path / "data" / "run").mkdir(parents=True)
    migrate_databases(load(own))
    return outside() | own


@contextmanager
def serving(variables: dict[str, str], folder: Path, role: str, *options: str) -> Iterator[tuple[Ear, int]]:
    """Run a process under an ear, and stop it in the end if it still runs."""
    ear = Ear(folder / f"{role}{len(list(folder.iterdir()))}.notify")
    command = [sys.executable, "-m", "taptrade", "serve", role, *options]
    with (
        (folder / f"{role}.log").open("ab") as log,
        subprocess.Popen(command, env=variables | {"NOTIFY_SOCKET": str(ear.path)}, stdout=log, stderr=log) as process,
    ):
        try:
            yield ear, process.pid
        finally:
            process.terminate()
            ear.close()


@pytest.mark.parametrize("role", ROLES)
def test_a_process_tells_of_its_life_and_of_its_end(role: str, variables: dict[str, str], tmp_path: Path) -> None:
    with serving(variables, tmp_path, role) as (ear, pid):
        assert ear.hear("READY=1") == "READY=1\nSTATUS=at work"
        ear.hear("WATCHDOG=1", 10)
        ear.hear("WATCHDOG=1", 10)
        os.kill(pid, signal.SIGTERM)
        ear.hear("STOPPING=1", 20)


@pytest.mark.parametrize("role", ["writer", "feed"])
def test_who_stands_by_takes_over_when_the_one_at_work_ends(
    role: str, variables: dict[str, str], tmp_path: Path
) -> None:
    lock = tmp_path / "data" / "run" / f"{role}.lock"
    with serving(variables, tmp_path, role) as (first, first_pid):
        assert first.hear("READY=1") == "READY=1\nSTATUS=at work"
        first.hear("WATCHDOG=1", 10)
        # A process that hangs falls silent, and goes on where it was.
        os.kill(first_pid, signal.SIGSTOP)
        first.forget()
        assert first.is_silent(SILENCE_S)
        os.kill(first_pid, signal.SIGCONT)
        first.hear("WATCHDOG=1", 10)
        with serving(variables, tmp_path, role, "--stand-by") as (second, second_pid):
            told = f"READY=1\nSTATUS=stands by for the {role} that is at work"
            assert second.hear("READY=1") == told
            second.hear("WATCHDOG=1", 10)
            assert int(lock.read_text()) == first_pid
            os.kill(first_pid, signal.SIGTERM)
            first.hear("STOPPING=1", 20)
            assert second.hear("READY=1", 20) == "READY=1\nSTATUS=at work"
            wait_until(lambda: int(lock.read_text()) == second_pid, what="the lock")


@pytest.mark.parametrize("role", ["writer", "feed", "replica"])
def test_who_stands_by_ends_when_told_to_and_the_one_at_work_goes_on(
    role: str, variables: dict[str, str], tmp_path: Path
) -> None:
    lock = tmp_path / "data" / "run" / f"{role}.lock"
    with serving(variables, tmp_path, role) as (first, first_pid):
        first.hear("READY=1")
        with serving(variables, tmp_path, role, "--stand-by") as (second, second_pid):
            second.hear("WATCHDOG=1")
            os.kill(second_pid, signal.SIGTERM)
            wait_until(lambda: is_zombie(second_pid), what="the end of the one that stands by")
        assert int(lock.read_text()) == first_pid
        first.forget()
        first.hear("WATCHDOG=1", 10)


def is_zombie(pid: int) -> bool:
    """Tell whether a child of ours has ended; whoever started it waits for it later."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
