"""Background work in tests: threads or greenlets of the test's own process, which end with the block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
from gevent.event import Event

from runtime.background import Background, Running
from runtime.clock import Clock, ManualClock, SystemClock
from runtime.metrics.table import Metrics


def idle(clock: Clock | None = None) -> Background:
    """Return a background in which nothing runs."""
    return Background(threading.Event(), clock or ManualClock(0), Metrics("test"))


@contextmanager
def threads(clock: Clock | None = None, metrics: Metrics | None = None) -> Iterator[Background]:
    """Run what is started in threads; whoever started work that ends by a word of its own has given it by the end."""
    background = Background(threading.Event(), clock or SystemClock(), metrics or Metrics("test"))
    alive = threading.active_count()
    try:
        yield background
    finally:
        background.stopping.set()  # type: ignore[attr-defined]
        background.join(10)
    assert threading.active_count() <= alive


class Greenlets:
    """Greenlets that a test can kill."""

    def __init__(self) -> None:
        self.all: list[gevent.Greenlet] = []

    def spawn(self, _name: str, run: Callable[[], None]) -> Running:
        """Start one."""
        self.all.append(gevent.spawn(run))
        started: Running = self.all[-1]
        return started

    def background(self, clock: Clock | None = None, metrics: Metrics | None = None) -> Background:
        """Return a background that starts them."""
        return Background(Event(), clock or SystemClock(), metrics or Metrics("test"), self.spawn)
