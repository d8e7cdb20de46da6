"""What is told to a service manager, in its words, and what it costs where there is none."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from runtime.systemd import VARIABLE, Manager


@pytest.mark.parametrize("kind", ["a file", "abstract"])
def test_a_manager_is_told_where_the_environment_says_and_nobody_else_finds_it(kind: str, tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    environ = {VARIABLE: name if kind == "a file" else f"@{name}"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(name if kind == "a file" else f"\0{name}")
        ear.settimeout(5)
        manager = Manager()
        manager.find(environ)
        assert environ == {}
        manager.ready()
        manager.alive()
        manager.alive()  # within a second of the last
        manager.alive(within_s=600)
        manager.alive(within_s=600)
        manager.alive(within_s=60)
        manager.stopping()
        told = [ear.recv(1_000).decode() for _ in range(5)]
    assert told == [
        "READY=1\nSTATUS=at work",
        "WATCHDOG=1",
        "WATCHDOG_USEC=600000000\nWATCHDOG=1",
        "WATCHDOG_USEC=60000000\nWATCHDOG=1",
        "STOPPING=1",
    ]


def test_a_manager_that_is_away_keeps_nobody_from_working(tmp_path: Path) -> None:
    manager = Manager()
    manager.alive()
    manager.find({VARIABLE: str(tmp_path / "nobody")})
    manager.ready()
    assert not (tmp_path / "nobody").exists()
