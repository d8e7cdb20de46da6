"""`make soak`: the real system under a steady rate of signed bets, watched for what grows, the money counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, linear_regression
from typing import Annotated

from loadtest import machine
from loadtest.measurement import Found, Measurement, Show, Trial
from loadtest.schedule import Plan
from loadtest.stage import Stage, stage
from loadtest.system import NEWEST

EVERY_S = 5.0
SHORTEST_S = 24 * 60.0
"""Redis keeps ten minutes of events and 90 s of nonces: only a second half that begins after that can be flat."""
HOUR_S = 3600.0
ERRORS_BEYOND = 3.0
"""A slope counts when it is so many times its standard error: a sawtooth cut off somewhere has a slope too."""
Tolerance = tuple[float, float]
"""The slope an hour that still counts as flat: a share of the mean, or an amount where that is more."""
OF_PROCESSES: dict[str, tuple[str, Tolerance]] = {
    "own_mb": ("own memory MB", (0.05, 4.0)),
    "descriptors": ("descriptors", (0.02, 4.0)),
}
OF_SYSTEM: dict[str, tuple[str, Tolerance]] = {
    "wal_mb": ("write-ahead log MB", (0.25, 8.0)),
    "redis_mb": ("Redis MB", (0.05, 4.0)),
    "backlog_bets": ("bets waiting", (0.25, 50.0)),
    "p99_ms": ("p99 ms", (0.25, 5.0)),
}
MEASURED_NOT_JUDGED = {"generator"}
"""The load's own process: it keeps what it has sent."""


def soaked(
    trial: Trial,
    minutes: Annotated[float, "how long; below 24 nothing is judged"] = 30.0,
    rate: Annotated[int, "signed bets a second"] = 500,
) -> Found:
    """Keep up a steady rate for long, and watch what grows."""
    with stage(trial) as on:
        first = on.running.ask(NEWEST)
        start_s = time.monotonic()
        with trial.display.step(f"{rate:,} bets/s for {minutes:g} minutes", minutes * 60) as show:
            samples = _samples(on, Plan(rate, 0.0, EVERY_S), round(minutes * 60 / EVERY_S), show)
        seconds = time.monotonic() - start_s
        committed = on.running.committed_between(first, on.running.ask(NEWEST))["bets"]
        on.count_money()
    return {
        "seconds": round(seconds, 1),
        "shortest_s": SHORTEST_S,
        "every_s": EVERY_S,
        "committed": committed,
        "errors": errors_of(samples),
        "trends": trends_of(samples),
        "samples": samples,
    }


def _samples(on: Stage, plan: Plan, count: int, show: Show) -> list[Found]:
    """Follow the plan over and over, with a look at everything after each time, and at the load since the last."""
    samples: list[Found] = []
    start_s = last_s = time.monotonic()
    before = on.usage()
    for _ in range(count):
        waiting = [0]
        figures = on.generator.follow(plan, lambda *_, seen=waiting: seen.append(on.running.backlog_bets()))
        now_s, after = time.monotonic(), on.usage()
        cpu_percent = machine.cpu_percent(before, after, now_s - last_s)
        newest: Found = {
            "at_s": round(now_s - start_s, 2),
            "processes": {
                name: {
                    "own_mb": one.own_mb,
                    "mapped_mb": one.mapped_mb,
                    "descriptors": one.descriptors,
                    "cpu_percent": cpu_percent[name],
                }
                for name, one in after.items()
            },
            **on.running.stores_mb(),
            "backlog_bets": max(waiting),
            "committed_per_s": round(figures.good / (now_s - last_s), 1),
            **figures.latencies.ms(50, 99),
            "errors": dict(figures.errors),
        }
        last_s, before = now_s, after
        samples.append(newest)
        show(f"p99 {newest['p99_ms']:,.0f} ms, log {newest['wal_mb']:,.0f} MB, Redis {newest['redis_mb']:,.0f} MB")
    return samples


def errors_of(samples: Sequence[Found]) -> dict[str, int]:
    """Add up the errors of all intervals."""
    return dict(sum((Counter(sample["errors"]) for sample in samples), Counter[str]()))


def trends_of(samples: Sequence[Found]) -> list[Found]:
    """Return the trend of every series: each process, then the stores, then what players see."""
    times_s = [sample["at_s"] for sample in samples]
    # A process that was not there in every sample has been restarted meanwhile: its series would say nothing.
    names = set.intersection(*(set(sample["processes"]) for sample in samples)) - MEASURED_NOT_JUDGED
    of_processes = [
        trend(f"{name}: {title}", times_s, [sample["processes"][name][key] for sample in samples], tolerance)
        for name in sorted(names)
        for key, (title, tolerance) in OF_PROCESSES.items()
    ]
    return of_processes + [
        trend(title, times_s, [sample[key] for sample in samples], tolerance)
        for key, (title, tolerance) in OF_SYSTEM.items()
    ]


def slope(times_s: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return the least-squares slope a second and its standard error."""
    if len(times_s) < 3 or len(set(times_s)) < 2:
        return 0.0, 0.0
    rise, start = linear_regression(times_s, values)
    left = sum((value - start - rise * at_s) ** 2 for at_s, value in zip(times_s, values, strict=True))
    mean_s = fmean(times_s)
    spread = sum((at_s - mean_s) ** 2 for at_s in times_s)
    return rise, float((left / (len(times_s) - 2) / spread) ** 0.5)


def trend(
    name: str,
    times_s: Sequence[float],
    values: Sequence[float],
    tolerance: Tolerance,
    shortest_s: float = SHORTEST_S,
) -> Found:
    """Judge one series by its second half; a run below `shortest_s` has not come to rest and is not judged."""
    half, tenth = len(times_s) // 2, max(len(values) // 10, 1)
    per_h, error_per_h = (HOUR_S * one for one in slope(times_s[half:], values[half:]))
    allowed = max(tolerance[0] * abs(fmean(values[half:])), tolerance[1])
    is_short = times_s[-1] - times_s[0] < shortest_s
    figures = {
        "first": fmean(values[:tenth]),
        "last": fmean(values[-tenth:]),
        "greatest": max(values),
        "slope_per_h": per_h,
        "error_per_h": error_per_h,
        "tolerance_per_h": allowed,
    }
    return {
        "name": name,
        **{key: round(value, 2) for key, value in figures.items()},
        "verdict": "too short" if is_short else verdict(per_h, error_per_h, allowed),
    }


def verdict(per_h: float, error_per_h: float, allowed: float) -> str:
    """Tell whether a slope is beyond what is tolerated, and beyond chance."""
    if abs(per_h) <= allowed or abs(per_h) <= ERRORS_BEYOND * error_per_h:
        return "flat"
    return "growing" if per_h > 0 else "falling"


MEASUREMENT = Measurement(
    "soak",
    soaked,
    renews=lambda found: found["seconds"] >= SHORTEST_S,
    sections=("soak", "soak: series"),
)
