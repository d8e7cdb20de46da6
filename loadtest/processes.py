"""Processes that a measurement starts, as programs or as functions behind a pipe: they end with it, however it ends."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from taptrade.lifeline import die_with

STOP_S_MAX = 60
POLL_S = 0.1
_T = TypeVar("_T")


class BenchFailed(Exception):
    """The measurement cannot go on; the message says why."""


@contextmanager
def child(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    folder: Path | None = None,
    user: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for the length of the block, in a folder and as a user if given; its output goes to a file."""
    parent = os.getpid()
    with output.open("ab") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            # Ctrl-C reaches the measurement alone, which then stops its children in order.
            start_new_session=True,
            preexec_fn=lambda: die_with(parent, signal.SIGTERM),  # noqa: PLW1509  no thread of ours runs yet
            **as_user(user),
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


def as_user(user: str | None) -> dict[str, Any]:
    """Return what lets subprocess run a program as a user and none of our groups; nothing for None, which is us."""
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


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


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def apart(work: Callable[..., _T], *arguments: Any) -> _T:
    """Return what a function returns in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


class Piped:
    """Our end of the pipe to a process that is given work and tells what comes of it."""

    def __init__(self, name: str, pipe: Connection, pid: int) -> None:
        self._name = name
        self._pipe = pipe
        self.pid = pid
        self.send = pipe.send

    def receive(self, timeout_s: float) -> Any:
        """Return the next message, None if there is none in time."""
        if not self._pipe.poll(max(timeout_s, 0.0)):
            return None
        try:
            message = self._pipe.recv()
        except EOFError:
            raise BenchFailed(f"{self._name}: the process has died") from None
        if isinstance(message, BenchFailed):
            raise BenchFailed(f"{self._name}: {message}")
        return message

    def await_message(self, timeout_s: float) -> Any:
        """Return the next message; fail if there is none in time."""
        message = self.receive(timeout_s)
        if message is None:
            raise BenchFailed(f"{self._name}: the process has stopped talking")
        return message


@contextmanager
def piped(name: str, work: Callable[..., None], *arguments: Any) -> Iterator[Piped]:
    """Run `work(pipe, *arguments)` in a process for the length of the block; it may go on until the pipe closes."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Piped(name, ours, process.pid or 0)
    finally:
        ours.close()
        process.terminate()
        process.join()


def _run(pipe: Connection, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # Ctrl-C reaches the whole group; the measurement alone heeds it, and then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work(pipe, *arguments)
    except EOFError:
        return
    except Exception as ex:
        pipe.send(BenchFailed(f"{type(ex).__name__}: {ex}"))
        raise
