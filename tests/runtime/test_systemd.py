"""What is told to a service manager, in its words, and what it costs where there is none."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from runtime.systemd import VARIABLE, Systemd


@pytest.mark.parametrize("kind", ["a file", "abstract"])
def test_a_manager_is_told_where_the_environment_says_and_nobody_else_finds_it(kind: str, tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    environ = {VARIABLE: name if kind == "a file" else f"@{name}"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(name if kind == "a file" else f"\0{name}")
        ear.settimeout(5)
        teller = Systemd()
        teller.find(environ)
        assert environ == {}
        teller.leave(environ)
        assert environ == {VARIABLE: name if kind == "a file" else f"@{name}"}, "a process that begins anew finds it"
        teller.ready()
        teller.alive()
        teller.alive()  # within a second of the last
        teller.alive(within_s=600)
        teller.alive(within_s=600)
        teller.alive(within_s=60)
        teller.stopping()
        told = [ear.recv(1_000).decode() for _ in range(5)]
    assert told == [
        "READY=1\nSTATUS=at work",
        "WATCHDOG=1",
        "WATCHDOG_USEC=600000000\nWATCHDOG=1",
        "WATCHDOG_USEC=60000000\nWATCHDOG=1",
        "STOPPING=1",
    ]


def test_a_manager_that_does_not_listen_keeps_nobody_from_working(tmp_path: Path) -> None:
    teller = Systemd()
    teller.find({VARIABLE: str(tmp_path / "notify")})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        for number in range(2_000):
            teller.alive(within_s=number + 1)
        ear.setblocking(False)
        assert ear.recv(1_000).startswith(b"WATCHDOG_USEC=1000000\n")


def test_a_manager_that_is_away_keeps_nobody_from_working(tmp_path: Path) -> None:
    teller = Systemd()
    teller.alive()
    teller.find({VARIABLE: str(tmp_path / "nobody")})
    teller.ready()
    assert not (tmp_path / "nobody").exists()
