"""Metrics: every name in one table, counted in each process's memory.

No process writes files or waits for another to count: `snapshot` is what `runtime.metrics_exchange` carries through
Redis to whichever process is asked for /metrics.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

import msgspec

CounterName = Literal[
    "taptrade_requests_total",
    "taptrade_errors_total",
]
GaugeName = Literal[
    "taptrade_backlog_bets",
    "taptrade_tick_age_seconds",
    "taptrade_breaker_state",
    "taptrade_writer_commit",
    "taptrade_up",
]
HistogramName = Literal["taptrade_request_seconds"]
Name = CounterName | GaugeName | HistogramName


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: what is counted, and by which labels."""

    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


REQUEST_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

COUNTERS: dict[CounterName, Metric] = {
    "taptrade_requests_total": Metric("Requests answered.", ("function", "status")),
    "taptrade_errors_total": Metric("Requests answered with an error code.", ("function", "code")),
}
GAUGES: dict[GaugeName, Metric] = {
    "taptrade_backlog_bets": Metric("Bets that wait for the writer."),
    "taptrade_tick_age_seconds": Metric("Age of the newest tick."),
    "taptrade_breaker_state": Metric("The breaker: 0 healthy, 1 degraded, 2 critical."),
    "taptrade_writer_commit": Metric("Number of the newest commit."),
    "taptrade_up": Metric("1 where a part answers, 0 where it does not.", ("part",)),
}
HISTOGRAMS: dict[HistogramName, Metric] = {
    "taptrade_request_seconds": Metric("Time from receipt to the answer's head.", ("function",), REQUEST_BOUNDS),
}


class Series(msgspec.Struct, array_like=True):
    """One histogram of one label set: hits per bucket (the last one is unbounded) and their sum."""

    buckets: list[int]
    total: float = 0.0


class Snapshot(msgspec.Struct):
    """What one process has counted, for the wire; label values are joined by a unit separator."""

    process: str
    at_ms: int
    counters: dict[str, dict[str, float]]
    histograms: dict[str, dict[str, Series]]


SEPARATOR = "\x1f"


class Metrics:
    """Count in memory, for one process."""

    def __init__(self, process: str) -> None:
        self.process = process
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, ...], float] = {}
        self._histograms: dict[tuple[str, ...], Series] = {}

    def count(self, name: CounterName, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        key = (name, *labels)
        with self._lock:
            self._counters[key] = self._counters.get(key, 0) + by

    def observe(self, name: HistogramName, value: float, *labels: str) -> None:
        """Add one value to a histogram."""
        bounds = HISTOGRAMS[name].bounds
        key = (name, *labels)
        with self._lock:
            series = self._histograms.get(key)
            if series is None:
                series = self._histograms[key] = Series([0] * (len(bounds) + 1))
            series.buckets[bisect_left(bounds, value)] += 1
            series.total += value

    def snapshot(self, now_ms: int) -> Snapshot:
        """Copy what was counted so far."""
        taken = Snapshot(process=self.process, at_ms=now_ms, counters={}, histograms={})
        with self._lock:
            for (name, *labels), value in self._counters.items():
                taken.counters.setdefault(name, {})[SEPARATOR.join(labels)] = value
            for (name, *labels), series in self._histograms.items():
                copied = Series(list(series.buckets), series.total)
                taken.histograms.setdefault(name, {})[SEPARATOR.join(labels)] = copied
        return taken
