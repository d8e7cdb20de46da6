"""What a soak finds out, as it is written to build/soak.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from loadtest.bench.results import Audit
from loadtest.soak.samples import Sample
from loadtest.soak.trends import Tolerance, Trend, trend

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

Value = Callable[[Sample], float]


class Soak(Struct, kw_only=True):
    """A whole run."""

    rate: int
    minutes: float
    seconds: float
    every_s: float
    committed: int
    errors: dict[str, int]
    trends: list[Trend]
    samples: list[Sample]
    audit: Audit
    machine: dict[str, str | int | float | bool]

    @property
    def is_flat(self) -> bool:
        """Tell whether nothing was seen to grow."""
        return all(one.verdict in ("flat", "falling") for one in self.trends)


def errors_of(samples: Sequence[Sample]) -> dict[str, int]:
    """Add up the errors of all intervals."""
    total: Counter[str] = Counter()
    for sample in samples:
        total.update(sample.errors)
    return dict(total)


def trends_of(samples: Sequence[Sample]) -> list[Trend]:
    """Return the trend of every series: each process, then the stores, then what players see."""
    times_s = [sample.at_s for sample in samples]
    # A process that was not there in every sample has been restarted meanwhile: its series would say nothing.
    names = set.intersection(*(set(sample.processes) for sample in samples)) - {*MEASURED_NOT_JUDGED}
    series: list[tuple[str, Value, Tolerance]] = []
    for name in sorted(names):
        series.append((f"{name}: own memory MB", _own_mb(name), MEMORY))
        series.append((f"{name}: descriptors", _descriptors(name), DESCRIPTORS))
    series += [
        ("write-ahead log MB", lambda sample: sample.wal_mb, LOG),
        ("Redis MB", lambda sample: sample.redis_mb, REDIS),
        ("bets waiting", lambda sample: sample.backlog_bets, BACKLOG),
        ("p99 ms", lambda sample: sample.p99_ms, LATENCY),
    ]
    return [
        trend(name, times_s, [value(sample) for sample in samples], tolerance, SHORTEST_S)
        for name, value, tolerance in series
    ]


def _own_mb(name: str) -> Value:
    return lambda sample: sample.processes[name].own_mb


def _descriptors(name: str) -> Value:
    return lambda sample: float(sample.processes[name].descriptors)
