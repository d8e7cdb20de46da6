"""Metrics: every name in one table, counted in each process's memory.

No process writes files, so nothing is left behind by one that dies: `runtime.messaging.metrics_exchange` carries each
process's snapshot through Redis to whichever API process is asked for /metrics.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

CounterName = Literal[
    "taptrade_requests_total",
    "taptrade_errors_total",
    "taptrade_commits_total",
    "taptrade_bets_total",
    "taptrade_jobs_failed_total",
    "taptrade_job_runs_total",
    "taptrade_function_runs_total",
    "taptrade_background_restarts_total",
    "taptrade_source_prices_total",
    "taptrade_source_dropped_total",
    "taptrade_source_reconnects_total",
]
GaugeName = Literal[
    "taptrade_up",
    "taptrade_background_up",
    "taptrade_backlog_bets",
    "taptrade_bets_inside",
    "taptrade_tick_age_seconds",
    "taptrade_breaker_state",
    "taptrade_sources_needed",
    "taptrade_sources_fresh",
    "taptrade_sources_counted",
    "taptrade_source_fresh",
    "taptrade_source_age_seconds",
    "taptrade_source_offset_ratio",
    "taptrade_writer_commit",
    "taptrade_audit_findings",
    "taptrade_audit_time_seconds",
    "taptrade_backup_time_seconds",
    "taptrade_job_success_time_seconds",
    "taptrade_job_overdue_seconds",
    "taptrade_function_in_flight",
    "taptrade_function_last_run_seconds",
    "taptrade_function_commits_behind",
    "taptrade_functions_version",
    "taptrade_exposure_cents",
    "taptrade_settlement_lag_seconds",
    "taptrade_queue_age_seconds",
    "taptrade_last_successful_archive_timestamp",
    "taptrade_replica_age_seconds",
    "taptrade_process_start_seconds",
    "taptrade_process_memory_bytes",
    "taptrade_process_open_files",
    "taptrade_process_cpu_seconds",
    "taptrade_bucket_return",
    "taptrade_bucket_wealth",
    "taptrade_buckets_closed",
    "taptrade_wal_bytes",
    "taptrade_wal_held_seconds",
]
HistogramName = Literal["taptrade_request_seconds", "taptrade_commit_seconds", "taptrade_function_seconds"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: what is measured, by which labels, and a histogram's bounds."""

    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    of_process: bool = True
    """Each process has its own; else it is one figure of the whole system, taken when /metrics is read."""


COMMIT_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
REQUEST_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

COUNTERS: dict[CounterName, Metric] = {
    "taptrade_requests_total": Metric("Requests answered.", ("function", "status")),
    "taptrade_errors_total": Metric("Requests answered with an error code.", ("function", "code")),
    "taptrade_commits_total": Metric("Commits of the writer."),
    "taptrade_bets_total": Metric("Bets that came to a status in a commit.", ("status",)),
    "taptrade_jobs_failed_total": Metric("Jobs that the writer could not do; RQ keeps them with the reason."),
    "taptrade_job_runs_total": Metric("Runs of periodic jobs, by what became of them.", ("job", "result")),
    "taptrade_function_runs_total": Metric(
        "Attempts of functions that no request starts, by what became of them; given_up: it is not tried again.",
        ("function", "result"),
    ),
    "taptrade_background_restarts_total": Metric(
        "Background work that ended by an error and started again.", ("work",)
    ),
    "taptrade_source_prices_total": Metric("Prices of a source since the feed's start.", ("source",), of_process=False),
    "taptrade_source_dropped_total": Metric(
        "Prices and messages of a source that made no price, by reason.", ("source", "reason"), of_process=False
    ),
    "taptrade_source_reconnects_total": Metric("Connections that ended.", ("source",), of_process=False),
}
GAUGES: dict[GaugeName, Metric] = {
    "taptrade_up": Metric("1 where a part of the system is well, 0 where it is not.", ("part",), of_process=False),
    "taptrade_backlog_bets": Metric("Bets that wait for the writer.", of_process=False),
    "taptrade_tick_age_seconds": Metric("Age of the newest tick.", of_process=False),
    "taptrade_breaker_state": Metric("1 for the state that the breaker is in.", ("state",), of_process=False),
    "taptrade_sources_needed": Metric("Sources that must agree on a price.", of_process=False),
    "taptrade_sources_fresh": Metric("Sources that gave a price in the last 3 s.", of_process=False),
    "taptrade_sources_counted": Metric("Fresh sources that agree on the price.", of_process=False),
    "taptrade_source_fresh": Metric(
        "1 where a source gave a price in the last 3 s, else 0.", ("source",), of_process=False
    ),
    "taptrade_source_age_seconds": Metric("Age of a source's newest price.", ("source",), of_process=False),
    "taptrade_source_offset_ratio": Metric(
        "How far a source is from the others for minutes on end, as a part of the price.", ("source",), of_process=False
    ),
    "taptrade_writer_commit": Metric("Number of the newest commit.", of_process=False),
    "taptrade_audit_findings": Metric("Rows that the last daily audit found wrong.", of_process=False),
    "taptrade_audit_time_seconds": Metric("Unix time of the last daily audit.", of_process=False),
    "taptrade_backup_time_seconds": Metric("Unix time of the newest backup.", of_process=False),
    "taptrade_job_success_time_seconds": Metric(
        "Unix time at which a periodic job last went well, or before that was first registered.",
        ("job",),
        of_process=False,
    ),
    "taptrade_job_overdue_seconds": Metric("How long after that the job is overdue.", ("job",), of_process=False),
    "taptrade_function_in_flight": Metric("Runs of a function that are under way.", ("function",)),
    "taptrade_function_last_run_seconds": Metric("Unix time at which a function last ran.", ("function",)),
    "taptrade_function_commits_behind": Metric("Commits whose events a function was not told of yet.", ("function",)),
    "taptrade_functions_version": Metric(
        "Version of the functions that the process serves (`taptrade versions`); 0 is what the build brings."
    ),
    "taptrade_settlement_lag_seconds": Metric(
        "How long ago the oldest column ended whose bets are still open; 0 where none is late.", of_process=False
    ),
    "taptrade_queue_age_seconds": Metric(
        "How long the oldest job of a queue has waited; 0 where none waits.", ("queue",), of_process=False
    ),
    "taptrade_exposure_cents": Metric("What the house would pay if every open bet won."),
    "taptrade_last_successful_archive_timestamp": Metric(
        "Unix time at which no week was due for its archive any more; 0 before the first run.", of_process=False
    ),
    "taptrade_replica_age_seconds": Metric(
        "Age of the newest moment up to which all of a database is in the replica; since 1970 where nothing is.",
        ("database",),
        of_process=False,
    ),
    "taptrade_background_up": Metric("1 where a background work of the process runs well, else 0.", ("work",)),
    "taptrade_bets_inside": Metric("Bets that the process has let in and not answered yet."),
    "taptrade_bucket_return": Metric("What players got back of 1 staked in a bucket of the model in use.", ("bucket",)),
    "taptrade_bucket_wealth": Metric("What copying the bets of a bucket has made of 1: its e-value.", ("bucket",)),
    "taptrade_buckets_closed": Metric("Buckets of the model in use that take no bets."),
    "taptrade_process_start_seconds": Metric("Unix time at which the process began to count."),
    "taptrade_process_memory_bytes": Metric("Memory of the process: of what it shares with others, its part."),
    "taptrade_process_open_files": Metric("File descriptors that the process holds."),
    "taptrade_process_cpu_seconds": Metric("Processor time that the process has used."),
    "taptrade_wal_bytes": Metric("Length of a database's write-ahead log on the disk.", ("database",)),
    "taptrade_wal_held_seconds": Metric(
        "How long a process is known to keep a write-ahead log from starting anew; 0 and no holder where none does.",
        ("database", "holder"),
    ),
}
HISTOGRAMS: dict[HistogramName, Metric] = {
    "taptrade_commit_seconds": Metric("Time from the start of a commit to its end on disk.", (), COMMIT_BOUNDS),
    "taptrade_function_seconds": Metric(
        "Time of one attempt of a function that no request starts.", ("function",), REQUEST_BOUNDS
    ),
    "taptrade_request_seconds": Metric("Time from receipt to the head of the answer.", ("function",), REQUEST_BOUNDS),
}

SEPARATOR = "\x1f"
"""Joins label values in a snapshot; no label value holds it."""


class Series(msgspec.Struct, array_like=True):
    """One histogram of one label set: hits per bucket (the last is unbounded) and their sum."""

    buckets: list[int]
    total: float = 0.0


class Snapshot(msgspec.Struct):
    """What one process has measured: name -> joined label values -> value.

    `process` and `slot` name its series, which its successor goes on with, and `machine` where there may be several;
    `pid` is for people.
    """

    process: str
    pid: int
    at_ms: int
    slot: int = 0
    machine: str = ""
    standing_by: bool = False
    """It waits for another of its kind, on this machine or another, and does no work yet."""
    counters: dict[str, dict[str, float]] = {}
    gauges: dict[str, dict[str, float]] = {}
    histograms: dict[str, dict[str, Series]] = {}


class Metrics:
    """Measure in memory, for one process; `slot` tells apart those that do the same at the same time."""

    def __init__(self, process: str, slot: int = 0) -> None:
        self.process = process
        self.slot = slot
        self.machine = ""
        self.standing_by = False
        self.weighed_ms: int | None = None
        """When the process's memory was measured, by a clock that never steps."""
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, ...], float] = {}
        self._gauges: dict[tuple[str, ...], float] = {}
        self._histograms: dict[tuple[str, ...], Series] = {}

    def count(self, name: CounterName, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        key = (name, *labels)
        with self._lock:
            self._counters[key] = self._counters.get(key, 0) + by

    def set(self, name: GaugeName, value: float, *labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._gauges[name, *labels] = value

    def replace(self, name: GaugeName, values: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge for these label values, and forget it for all others."""
        with self._lock:
            for key in [key for key in self._gauges if key[0] == name and key[1:] not in values]:
                del self._gauges[key]
            self._gauges.update({(name, *labels): value for labels, value in values.items()})

    def observe(self, name: HistogramName, value: float, *labels: str) -> None:
        """Add one value to a histogram; a value on a bound belongs below it."""
        bounds = HISTOGRAMS[name].bounds
        key = (name, *labels)
        with self._lock:
            series = self._histograms.get(key)
            if series is None:
                series = self._histograms[key] = Series([0] * (len(bounds) + 1))
            series.buckets[bisect_left(bounds, value)] += 1
            series.total += value

    def expect(self, name: HistogramName, *labels: str) -> None:
        """Show a histogram that has no value yet."""
        with self._lock:
            self._histograms.setdefault((name, *labels), Series([0] * (len(HISTOGRAMS[name].bounds) + 1)))

    def snapshot(self, pid: int, now_ms: int) -> Snapshot:
        """Copy what was measured so far."""
        taken = Snapshot(
            self.process,
            pid,
            now_ms,
            self.slot,
            self.machine,
            self.standing_by,
            counters={},
            gauges={},
            histograms={},
        )
        with self._lock:
            for source, target in ((self._counters, taken.counters), (self._gauges, taken.gauges)):
                for (name, *labels), value in source.items():
                    target.setdefault(name, {})[SEPARATOR.join(labels)] = value
            for (name, *labels), series in self._histograms.items():
                copied = Series(list(series.buckets), series.total)
                taken.histograms.setdefault(name, {})[SEPARATOR.join(labels)] = copied
        return taken
