"""A process of its own for what must not share ours: it is given work, and tells what comes of it, through a pipe."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from loadtest.bench.children import BenchFailed


class Piped:
    """The bench's end of the pipe."""

    def __init__(self, name: str, pipe: Connection, pid: int) -> None:
        self._name = name
        self._pipe = pipe
        self.pid = pid

    def send(self, message: Any) -> None:
        """Give the process something to do."""
        self._pipe.send(message)

    def receive(self, timeout_s: float) -> Any:
        """Return the next message, None if there is none in time."""
        if not self._pipe.poll(max(timeout_s, 0.0)):
            return None
        try:
            message = self._pipe.recv()
        except EOFError:
            raise BenchFailed(f"{self._name}: the process has died") from None
        if isinstance(message, _Failure):
            raise BenchFailed(f"{self._name}: {message.sentence}")
        return message

    def await_message(self, timeout_s: float) -> Any:
        """Return the next message; fail if there is none in time."""
        message = self.receive(timeout_s)
        if message is None:
            raise BenchFailed(f"{self._name}: the process has stopped talking")
        return message


class _Failure:
    """What ended the process."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence


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
    # Ctrl-C reaches the whole group; the bench alone heeds it, and then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work(pipe, *arguments)
    except EOFError:
        return
    except Exception as ex:
        pipe.send(_Failure(f"{type(ex).__name__}: {ex}"))
        raise
