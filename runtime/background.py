"""Work in the background of a process: it has a name, starts again when it ends, and is told of until it runs well.

It is the one way to start such work, so that none ends unseen: a thread, or under gevent a greenlet, that ends by an
unexpected error would end alone, and the process would look well without it.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from runtime.clock import Clock

logger = logging.getLogger(__name__)

PAUSE_S_FIRST = 0.1
PAUSE_S_MAX = 10.0
CALM_MS = 60_000
"""Work that ran so long before it ended begins with short pauses again."""
WELL_MS = 5_000
"""Work that has run so long since it ended runs well."""


class Stopping(Protocol):
    """An event, of threads or of greenlets, that ends the work of a process."""

    def is_set(self) -> bool:
        """Tell whether the process stops."""
        ...

    def wait(self, timeout: float | None = None) -> object:
        """Wait, at most `timeout` seconds, until it does."""
        ...


class Running(Protocol):
    """A thread or a greenlet."""

    def join(self, timeout: float | None = None) -> object:
        """Wait until it ends, at most `timeout` seconds."""
        ...


class Counting(Protocol):
    """The call that is needed of a process's metrics."""

    def count(self, name: Literal["taptrade_background_restarts_total"], *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        ...


def in_thread(name: str, run: Callable[[], None]) -> Running:
    """Run in a thread, which does not keep its process from ending."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


@dataclass(slots=True)
class _Work:
    began_ms: int
    is_running: bool = True
    well_ms: float = 0
    """From when on it runs well, on the monotonic clock, if it still runs then."""
    pause_s: float = 0.0


class Background:
    """The background work of one process."""

    def __init__(
        self,
        stopping: Stopping,
        clock: Clock,
        metrics: Counting,
        spawn: Callable[[str, Callable[[], None]], Running] = in_thread,
        suffix: str = "",
    ) -> None:
        """`spawn` starts a thread or a greenlet that has a name; once `stopping` is set, what ends may end."""
        self.stopping = stopping
        self._clock = clock
        self._metrics = metrics
        self._spawn = spawn
        self._suffix = suffix
        self._works: dict[str, _Work] = {}
        self._running: list[Running] = []

    def suffixed(self, suffix: str) -> Background:
        """Return the same for works that a process has more than once: their names end with `suffix`."""
        same = Background(self.stopping, self._clock, self._metrics, self._spawn, suffix)
        same._works, same._running = self._works, self._running
        return same

    def start(self, name: str, run: Callable[[], None]) -> None:
        """Run what should never end by itself."""
        name += self._suffix
        if name in self._works:
            raise ValueError(f"there is a background work {name} already")
        work = self._works[name] = _Work(self._clock.monotonic_ms())
        self._metrics.count("taptrade_background_restarts_total", name, by=0)
        self._running.append(self._spawn(name, lambda: self._keep(name, work, run)))

    def repeat(self, name: str, once: Callable[[], None], every_s: float) -> None:
        """Do something over and over, with a pause in between; it runs well as soon as it was done once."""

        def run() -> None:
            while not self.stopping.is_set():
                once()
                self._works[name + self._suffix].well_ms = 0
                self.stopping.wait(every_s)

        self.start(name, run)

    def up(self) -> Mapping[str, bool]:
        """Tell of each work whether it runs well."""
        now_ms = self._clock.monotonic_ms()
        return {name: work.is_running and now_ms >= work.well_ms for name, work in self._works.items()}

    def down(self) -> list[str]:
        """Return the names of those that do not."""
        return [name for name, is_up in self.up().items() if not is_up]

    def join(self, timeout_s: float) -> None:
        """Wait for the end of all of it, when the process stops."""
        for running in self._running:
            running.join(timeout_s)

    def _keep(self, name: str, work: _Work, run: Callable[[], None]) -> None:
        while not self.stopping.is_set():
            work.began_ms, work.is_running = self._clock.monotonic_ms(), True
            error: BaseException | None = None
            try:
                run()
            except BaseException as ex:  # whatever ends it
                if _was_killed(ex):  # who does that wants its end, which is seen all the same
                    raise
                error = ex
            finally:
                work.is_running, work.well_ms = False, math.inf
            if self.stopping.is_set():
                return
            self._ended(name, work, error)
            self.stopping.wait(work.pause_s)
            work.well_ms = self._clock.monotonic_ms() + WELL_MS

    def _ended(self, name: str, work: _Work, error: BaseException | None) -> None:
        ran_ms = self._clock.monotonic_ms() - work.began_ms
        longer_s = PAUSE_S_FIRST if ran_ms >= CALM_MS else work.pause_s * 2
        work.pause_s = min(max(longer_s, PAUSE_S_FIRST), PAUSE_S_MAX)
        self._metrics.count("taptrade_background_restarts_total", name)
        logger.error(
            "the background work %s ended, it starts again in %.1f s: %s",
            name,
            work.pause_s,
            f"{type(error).__name__}: {error}" if error else "it returned",
            exc_info=error,
            extra={"fields": {"code": "BACKGROUND_ENDED", "work": name}},
        )


def _was_killed(error: BaseException) -> bool:
    """Tell whether a greenlet was ended from outside; a process that has not loaded gevent has none."""
    gevent = sys.modules.get("gevent")
    return gevent is not None and isinstance(error, gevent.GreenletExit)
