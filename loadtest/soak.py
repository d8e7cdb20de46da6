"""`make soak`: the real system under a steady rate of signed bets, watched for what grows, the money counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, ClassVar

from msgspec import Struct, field

from loadtest.bench import machine
from loadtest.bench.generator import Progress
from loadtest.bench.machine import MB, Usage
from loadtest.bench.schedule import Plan
from loadtest.bench.stage import Stage, stage
from loadtest.display import Show
from loadtest.measurement import Findings, Measurement, Trial
from loadtest.trends import Tolerance, Trend, trend

EVERY_S = 5.0
SHORTEST_S = 24 * 60.0
"""Redis keeps ten minutes of events and 90 s of nonces: only a second half that begins after that can be flat."""
MEMORY = Tolerance(0.05, 4.0)
DESCRIPTORS = Tolerance(0.02, 4.0)
LOG = Tolerance(0.25, 8.0)
REDIS = Tolerance(0.05, 4.0)
BACKLOG = Tolerance(0.25, 50.0)
LATENCY = Tolerance(0.25, 5.0)
MEASURED_NOT_JUDGED = ("generator",)
"""The load's own process: it keeps what it has sent."""
GLANCES = 10


class Sample(Struct):
    """Everything at one moment, and the load since the one before."""

    at_s: float
    processes: dict[str, Usage]
    wal_mb: float
    database_mb: float
    redis_mb: float
    backlog_bets: int
    """The most that were seen waiting."""
    committed_per_s: float
    p50_ms: float
    p99_ms: float
    errors: dict[str, int] = field(default_factory=dict)


class Soak(Findings, kw_only=True):
    """A whole run."""

    SHORTEST_S: ClassVar = SHORTEST_S
    seconds: float
    every_s: float
    committed: int
    errors: dict[str, int]
    trends: list[Trend]
    samples: list[Sample]

    @property
    def renews(self) -> bool:
        """A run that has not come to rest says nothing."""
        return self.seconds >= SHORTEST_S

    def tenths(self) -> list[list[Sample]]:
        """Return the samples in ten parts."""
        count = min(GLANCES, len(self.samples))
        edges = [round(len(self.samples) * index / count) for index in range(count + 1)]
        return [self.samples[first:last] for first, last in pairwise(edges)]


def soaked(
    trial: Trial,
    minutes: Annotated[float, "how long; below 24 nothing is judged"] = 30.0,
    rate: Annotated[int, "signed bets a second"] = 500,
) -> Soak:
    """Keep up a steady rate for long, and watch what grows."""
    with stage(trial) as on:
        first = on.vitals.newest_commit()
        start_s = time.monotonic()
        with trial.display.step(f"{rate:,} bets/s for {minutes:g} minutes", minutes * 60) as show:
            samples = _samples(on, Plan(rate, 0.0, EVERY_S), round(minutes * 60 / EVERY_S), show)
        seconds = time.monotonic() - start_s
        committed = on.vitals.between(first, on.vitals.newest_commit()).bets
        on.count_money()
    return Soak(
        seconds=round(seconds, 1),
        every_s=EVERY_S,
        committed=committed,
        errors=errors_of(samples),
        trends=trends_of(samples),
        samples=samples,
    )


def _samples(on: Stage, plan: Plan, count: int, show: Show) -> list[Sample]:
    """Follow the plan over and over, with a look at everything after each time."""
    samples: list[Sample] = []
    start_s = last_s = time.monotonic()
    cpu_s = machine.cpu_seconds(on.roots)
    for _ in range(count):
        waiting = [0]
        figures = on.generator.follow(plan, partial(_note_backlog, on, waiting))
        now_s, now_cpu_s = time.monotonic(), machine.cpu_seconds(on.roots)
        processes = machine.memory_and_descriptors(on.roots)
        for name, share in machine.cpu_percent(cpu_s, now_cpu_s, now_s - last_s).items():
            if name in processes:
                processes[name].cpu_percent = share
        newest = Sample(
            at_s=round(now_s - start_s, 2),
            processes=dict(sorted(processes.items())),
            wal_mb=round(on.vitals.wal_bytes() / MB, 2),
            database_mb=round(on.vitals.database_bytes() / MB, 2),
            redis_mb=round(on.vitals.redis_bytes() / MB, 2),
            backlog_bets=max(waiting),
            committed_per_s=round(figures.good / (now_s - last_s), 1),
            p50_ms=figures.latencies.percentile_ms(50),
            p99_ms=figures.latencies.percentile_ms(99),
            errors=dict(figures.errors),
        )
        last_s, cpu_s = now_s, now_cpu_s
        samples.append(newest)
        show(f"p99 {newest.p99_ms:,.0f} ms, log {newest.wal_mb:,.0f} MB, Redis {newest.redis_mb:,.0f} MB")
    return samples


def _note_backlog(on: Stage, waiting: list[int], _progress: Progress) -> None:
    waiting.append(on.vitals.backlog_bets())


def errors_of(samples: Sequence[Sample]) -> dict[str, int]:
    """Add up the errors of all intervals."""
    return dict(sum((Counter(sample.errors) for sample in samples), Counter[str]()))


def trends_of(samples: Sequence[Sample]) -> list[Trend]:
    """Return the trend of every series: each process, then the stores, then what players see."""
    times_s = [sample.at_s for sample in samples]
    # A process that was not there in every sample has been restarted meanwhile: its series would say nothing.
    names = set.intersection(*(set(sample.processes) for sample in samples)) - {*MEASURED_NOT_JUDGED}
    series: list[tuple[str, Tolerance, list[float]]] = []
    for name in sorted(names):
        usages = [sample.processes[name] for sample in samples]
        series.append((f"{name}: own memory MB", MEMORY, [one.own_mb for one in usages]))
        series.append((f"{name}: descriptors", DESCRIPTORS, [float(one.descriptors) for one in usages]))
    series += [
        ("write-ahead log MB", LOG, [sample.wal_mb for sample in samples]),
        ("Redis MB", REDIS, [sample.redis_mb for sample in samples]),
        ("bets waiting", BACKLOG, [float(sample.backlog_bets) for sample in samples]),
        ("p99 ms", LATENCY, [sample.p99_ms for sample in samples]),
    ]
    return [trend(name, times_s, values, tolerance, SHORTEST_S) for name, tolerance, values in series]


MEASUREMENT = Measurement("soak", soaked)
