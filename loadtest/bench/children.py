"""Processes that the bench starts: they end with it, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from taptrade.serve import die_with

STOP_S_MAX = 60
POLL_S = 0.1


class BenchFailed(Exception):
    """The bench cannot go on; the message says why."""


@contextmanager
def child(command: Sequence[str], environment: Mapping[str, str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for the length of the block; its output goes to a file."""
    parent = os.getpid()
    with output.open("ab") as file:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            # Ctrl-C reaches the bench alone, which then stops its children in order.
            start_new_session=True,
            preexec_fn=lambda: die_with(parent, signal.SIGTERM),  # noqa: PLW1509  no thread of ours runs yet
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(what: str, is_there: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until something is there; fail when the process that should bring it ends, or time runs out."""
    pause = Event()
    for _ in range(round(seconds / POLL_S)):
        if is_there():
            return
        if process.poll() is not None:
            raise BenchFailed(f"{what}: the process ended with {process.returncode}")
        pause.wait(POLL_S)
    raise BenchFailed(f"{what}: not there after {seconds:.0f} s")


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nothing listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
