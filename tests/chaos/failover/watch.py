"""Looks several times a second who is at work, and notes when a fault was first seen and when another took over."""

from __future__ import annotations

from threading import Event, Thread
from typing import Self

from runtime.clock import SystemClock
from runtime.messaging.redis_values import WriterAlive
from tests.chaos.failover.house import House
from tests.chaos.failover.timeline import Fault

EVERY_S = 0.1
SIGN_MS_MAX = 1_500
"""A writer gives its sign five times a second; the machine is small."""


class Watch:
    """As a context it looks on; `begin` names the fault that what is seen belongs to."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._fault: Fault | None = None
        self._before: tuple[int, int] = (0, 0)
        self._last: WriterAlive | None = None
        self._last_ms = 0
        self._stop = Event()
        self._thread = Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def begin(self, fault: Fault) -> None:
        """Note what is seen from now on for this fault."""
        alive = self._house.alive()
        self._before = (alive.pid, alive.since_ms) if alive else (0, 0)
        self._fault = fault

    def _look_on(self) -> None:
        clock = SystemClock()
        while not self._stop.wait(EVERY_S):
            alive, now_ms, fault = self._house.alive(), clock.now_ms(), self._fault
            if alive is not None and alive != self._last:
                self._last, self._last_ms = alive, now_ms
            if fault is None:
                continue
            works = alive is not None and not alive.trouble and now_ms - self._last_ms < SIGN_MS_MAX
            is_same = alive is not None and (alive.pid, alive.since_ms) == self._before
            if not fault.detected_ms and not (works and is_same):
                fault.detected_ms = now_ms
            if fault.detected_ms and not fault.taken_ms and works and not is_same:
                fault.taken_ms = now_ms
