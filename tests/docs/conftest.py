"""A started system for the documents' commands, with columns of one second so that bets settle soon."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import wait_until

READY_S = 60.0
STOP_S = 40.0


@dataclass(frozen=True, slots=True)
class House:
    """A running system: its data folder, and the settings under which commands find it."""

    data: Path
    environment: dict[str, str]


def free_ports(count: int) -> list[str]:
    """Return ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run `taptrade up` as a person does, and stop it with Ctrl-C; it must end cleanly."""
    folder = tmp_path_factory.mktemp("house")
    data, output = folder / "data", folder / "up.log"
    port, dashboard_port = free_ports(2)
    environment = {
        "TAPTRADE_DATA": str(data),
        "TAPTRADE_PORT": port,
        "TAPTRADE_DASHBOARD_PORT": dashboard_port,
        "TAPTRADE_COLUMN_SECONDS": "1",
    }
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "taptrade", "up"],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        wait_until(
            lambda: process.poll() is not None or "Ctrl-C stops everything" in output.read_text(),
            READY_S,
            what="the start of the system",
        )
        assert process.poll() is None, output.read_text()
        yield House(data, environment)
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_S) == 0, output.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
