"""Time limits of what runs in threads: who has passed its own is interrupted, and who cannot be ends the process."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runtime.clock import Clock

GRACE_MS = 15_000
"""Whoever does not end so long after it was interrupted waits for something that no exception reaches."""


class TimeLimitReached(BaseException):
    """The attempt has taken as long as it may; a handler's own `except Exception` does not stop it."""


@dataclass(slots=True)
class _Deadline:
    function: str
    at_ms: float
    interrupted: bool = False


class Deadlines:
    """What is under way in the threads of a process, and until when it may be."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._of_thread: dict[int, _Deadline] = {}

    @contextmanager
    def within(self, function: str, timeout_s: float) -> Iterator[None]:
        """Interrupt the block by TimeLimitReached when it takes longer."""
        thread = threading.get_ident()
        with self._lock:
            self._of_thread[thread] = _Deadline(function, self._clock.monotonic_ms() + timeout_s * 1000)
        try:
            yield
        finally:
            with self._lock:
                del self._of_thread[thread]
                # One that was thrown and has not arrived yet would interrupt what comes next.
                _throw(thread, None)

    def look(self) -> list[str]:
        """Interrupt what has passed its limit; return the functions that go on all the same."""
        now_ms = self._clock.monotonic_ms()
        with self._lock:
            for thread, deadline in self._of_thread.items():
                if now_ms >= deadline.at_ms and not deadline.interrupted:
                    deadline.interrupted = True
                    _throw(thread, TimeLimitReached)
            return [one.function for one in self._of_thread.values() if now_ms >= one.at_ms + GRACE_MS]

    def under_way(self) -> dict[str, int]:
        """Return how many runs of each function are under way."""
        counted: dict[str, int] = {}
        with self._lock:
            for one in self._of_thread.values():
                counted[one.function] = counted.get(one.function, 0) + 1
        return counted


def _throw(thread: int, error: type[BaseException] | None) -> None:
    """Let a thread meet an exception at its next step in Python; None takes back what it has not met yet."""
    thrown = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), thrown)
