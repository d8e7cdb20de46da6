"""Measure one rate: a plan for the generator, and two looks at the system between which everything is counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.bench import proc
from loadtest.bench.children import BenchFailed
from loadtest.bench.display import Show
from loadtest.bench.generator import SILENCE_S_MAX, Generator, Progress
from loadtest.bench.results import Rate
from loadtest.bench.schedule import GIVE_UP_S, Figures, Plan
from loadtest.bench.vitals import Commits, Vitals

LOOK_EVERY_S = 1.0
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Look:
    """The system's counters at one moment."""

    at_s: float
    cpu_s: dict[str, float]
    busy_s: float
    idle_s: float
    commit: int


@dataclass(slots=True)
class Peaks:
    """The most that was seen of what grows and shrinks."""

    redis_bytes: int = 0
    wal_bytes: int = 0

    def look(self, vitals: Vitals) -> None:
        """Take the present values in."""
        self.redis_bytes = max(self.redis_bytes, vitals.redis_bytes())
        self.wal_bytes = max(self.wal_bytes, vitals.wal_bytes())


@dataclass(frozen=True, slots=True)
class Meter:
    """Who sends, whose CPU counts under which name, and the stores."""

    generator: Generator
    roots: Mapping[str, int]
    vitals: Vitals

    def measure(self, plan: Plan, show: Show) -> Rate:
        """Follow one plan; return its figures."""
        peaks = Peaks()
        self.generator.start(plan)
        start_s = time.monotonic()
        self._watch(start_s + plan.lead_s, peaks, show)
        first = self._look()
        figures = self._watch(start_s + plan.lead_s + plan.measure_s, peaks, show)
        last = self._look()
        while figures is None:
            figures = self._watch(time.monotonic() + GIVE_UP_S + SILENCE_S_MAX, peaks, show)
        return rate_of(plan, figures, first, last, self.vitals.between(first.commit, last.commit), peaks)

    def _watch(self, until_s: float, peaks: Peaks, show: Show) -> Figures | None:
        heard_s = look_s = time.monotonic()
        while (now_s := time.monotonic()) < until_s:
            if now_s >= look_s:
                peaks.look(self.vitals)
                look_s = now_s + LOOK_EVERY_S
            message = self.generator.receive(min(look_s, until_s) - now_s)
            if isinstance(message, Figures):
                return message
            if isinstance(message, Progress):
                heard_s = now_s
                show(f"{message.good:,} committed, {message.errors:,} errors")
            if now_s - heard_s > SILENCE_S_MAX:
                raise BenchFailed("the generator has stopped talking")
        return None

    def _look(self) -> Look:
        busy_s, idle_s = proc.machine_seconds()
        commit = self.vitals.newest_commit()
        return Look(time.monotonic(), proc.cpu_seconds(self.roots), busy_s, idle_s, commit)


def rate_of(plan: Plan, figures: Figures, first: Look, last: Look, commits: Commits, peaks: Peaks) -> Rate:
    """Put one rate's figures together."""
    seconds = last.at_s - first.at_s
    bets = max(figures.good_in_window, 1)
    busy_s, idle_s = last.busy_s - first.busy_s, last.idle_s - first.idle_s
    spent = {name: round((cpu_s - first.cpu_s.get(name, 0.0)) / bets * 1e6, 1) for name, cpu_s in last.cpu_s.items()}
    return Rate(
        rate=plan.rate,
        committed_per_s=round(figures.good_in_window / plan.measure_s, 1),
        p50_ms=figures.latencies.percentile_ms(50),
        p95_ms=figures.latencies.percentile_ms(95),
        p99_ms=figures.latencies.percentile_ms(99),
        max_ms=round(figures.latencies.max_us / 1000, 2),
        errors=dict(figures.errors),
        late_p99_ms=figures.lateness.percentile_ms(99),
        commits_per_s=round(commits.commits / seconds, 1),
        bets_per_commit=round(commits.bets / max(commits.with_bets, 1), 1),
        settled_per_s=round(commits.settled / seconds, 1),
        cpu_us_per_bet=dict(sorted(spent.items(), key=lambda item: -item[1])),
        machine_busy=round(busy_s / max(busy_s + idle_s, 0.01), 3),
        redis_mb=round(peaks.redis_bytes / MB, 1),
        wal_mb=round(peaks.wal_bytes / MB, 1),
    )
