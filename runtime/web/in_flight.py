"""How many calls of one endpoint are under way, and how long each may take.

A call costs two steps of a dictionary; nothing is timed by a timer of its own. What has passed its limit is found by a
look at all of them, a few times a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import gevent

from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.metrics.table import Metrics
from runtime.web.declaration import Function

LOOK_EVERY_S = 0.25
RETRY_AFTER_S = 1


class TimeLimitReached(BaseException):
    """A call has taken as long as it may; a handler's own `except Exception` does not stop it."""


class InFlight:
    """The calls of one endpoint that are under way, each with when it began."""

    __slots__ = ("function", "inside", "last_ms", "limit")

    def __init__(self, function: Function) -> None:
        self.function = function
        self.limit = function.in_flight
        self.inside: dict[object, float] = {}
        self.last_ms = 0
        """When the last one began, Unix milliseconds."""

    def refuse(self) -> Unavailable:
        """Return the refusal of one more."""
        return Unavailable(
            f"{self.limit} calls of this endpoint are under way already, and it takes no more at once.",
            code="OVERLOADED",
            retry_after_s=RETRY_AFTER_S,
        )

    def too_long(self) -> Unavailable:
        """Return the refusal of one that was ended."""
        return Unavailable(
            f"This took longer than {self.function.timeout_s} s and was ended; part of it may have been done.",
            retry_after_s=RETRY_AFTER_S,
        )


class TimeLimits:
    """The calls of all endpoints of a process, held to their limits.

    Of how many may be under way, each of several workers keeps its part, and at least one.
    """

    def __init__(self, clock: Clock, metrics: Metrics, workers: int = 1) -> None:
        self._clock = clock
        self._metrics = metrics
        self._workers = workers
        self._all: list[InFlight] = []
        self._told: dict[str, tuple[int, int]] = {}

    def begin(self) -> None:
        """Hold the calls of one app to its limits, and of no other."""
        self._all.clear()

    def add(self, one: InFlight) -> None:
        """Hold the calls of one more endpoint to its limits."""
        one.limit = max(1, one.limit // self._workers)
        self._all.append(one)

    def look(self, at_once: Callable[[Callable[[], None]], object] | None = None) -> None:
        """End what has passed its limit, and tell the metrics what is under way; `at_once` runs in gevent's hub."""
        now_ms = self._clock.monotonic_ms()
        run = at_once or gevent.get_hub().loop.run_callback
        for one in self._all:
            self._measure(one)
            began_before_ms = now_ms - one.function.timeout_s * 1000
            for greenlet, began_ms in list(one.inside.items()):
                if began_ms <= began_before_ms:
                    run(_Ending(one, greenlet, began_ms))

    def _measure(self, one: InFlight) -> None:
        seen = (len(one.inside), one.last_ms)
        if self._told.get(one.function.name) != seen:
            self._told[one.function.name] = seen
            self._metrics.set("taptrade_function_in_flight", seen[0], one.function.name)
            self._metrics.set("taptrade_function_last_run_seconds", seen[1] / 1000, one.function.name)


class _Ending:
    """Throw a call out of what it waits for, unless it has ended meanwhile: its greenlet may be at another one."""

    def __init__(self, of: InFlight, greenlet: object, began_ms: float) -> None:
        self._of = of
        self._greenlet = greenlet
        self._began_ms = began_ms

    def __call__(self) -> None:
        inside = self._of.inside
        if inside.get(self._greenlet) == self._began_ms:
            inside[self._greenlet] = math.inf  # once is enough, whatever it has to clear away
            self._greenlet.throw(TimeLimitReached)  # type: ignore[attr-defined]
