"""The soak's tables: the trend of each series, and the run at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from loadtest.bench.report import machine_sentence, table
from loadtest.soak.results import SHORTEST_S, Soak
from loadtest.soak.samples import Sample
from loadtest.soak.trends import Trend

GLANCES = 10


def section(soak: Soak) -> str:
    """Write the section of docs/performance.md."""
    errors = ", ".join(f"{count:,} {code}" for code, count in soak.errors.items()) or "none"
    growing = [one.name for one in soak.trends if one.verdict == "growing"]
    parts = [
        f"    make soak MINUTES={soak.minutes:g} RATE={soak.rate}",
        machine_sentence(soak.machine),
        (
            f"{soak.committed:,} bets were committed in {soak.seconds / 60:.1f} minutes, with a look every "
            f"{soak.every_s:g} s; errors: {errors}. Growing: {', '.join(growing) or 'nothing'}. {soak.audit.summary}."
        ),
        trends_table(soak.trends),
        "The run at a glance, in tenths (means; p99: the greatest of an interval):",
        glance_table(soak.samples),
    ]
    if soak.seconds < SHORTEST_S:
        parts.insert(3, f"A run below {SHORTEST_S / 60:.0f} minutes is not judged: Redis fills for ten of them.")
    return "\n\n".join(parts)


def trends_table(trends: Sequence[Trend]) -> str:
    """Write each series with its slope and verdict."""
    head = ["series", "first tenth", "last tenth", "most", "slope an hour", "tolerated", "verdict"]
    rows = [
        [
            one.name,
            f"{one.first:,.1f}",
            f"{one.last:,.1f}",
            f"{one.greatest:,.1f}",
            f"{one.slope_per_h:+,.1f} ± {one.error_per_h:,.1f}",
            f"{one.tolerance_per_h:,.1f}",
            one.verdict,
        ]
        for one in trends
    ]
    return table(head, rows)


def glance_table(samples: Sequence[Sample]) -> str:
    """Write the run in ten lines: load, latency, memory and CPU of the processes that matter, stores."""
    head = ["minute", "bets/s", "p99 ms", "api MB", "writer MB", "of files", "api CPU", "writer CPU", "Redis MB"]
    return table([*head, "log MB", "database MB"], [_glance(part) for part in _parts(samples)])


def _parts(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    count = min(GLANCES, len(samples))
    edges = [round(len(samples) * index / count) for index in range(count + 1)]
    return [samples[first:last] for first, last in pairwise(edges)]


def _glance(part: Sequence[Sample]) -> list[str]:
    api, writer = (
        [sample.processes[name] for sample in part if name in sample.processes] for name in ("api", "writer")
    )
    return [
        f"{part[-1].at_s / 60:.1f}",
        f"{fmean(sample.committed_per_s for sample in part):,.0f}",
        f"{max(sample.p99_ms for sample in part):,.1f}",
        _mean([one.own_mb for one in api], ",.1f"),
        _mean([one.own_mb for one in writer], ",.1f"),
        _mean([one.mapped_mb for one in writer], ",.0f"),
        _mean([one.cpu_percent for one in api], ".0f") + "%",
        _mean([one.cpu_percent for one in writer], ".0f") + "%",
        f"{fmean(sample.redis_mb for sample in part):,.1f}",
        f"{fmean(sample.wal_mb for sample in part):,.1f}",
        f"{part[-1].database_mb:,.0f}",
    ]


def _mean(values: Sequence[float], form: str) -> str:
    return format(fmean(values), form) if values else "-"
