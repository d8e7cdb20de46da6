"""What the bench finds out, as it is written to build/bench.json."""

from __future__ import annotations

from msgspec import Struct, field

P99_MS_MAX = 100.0
SHARE_LEAST = 0.99
"""A rate is carried only if this share of it is committed within the measured time."""


class Rate(Struct, kw_only=True):
    """One rate of bets, measured from outside; `cpu_us_per_bet` is by process."""

    rate: int
    committed_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    errors: dict[str, int]
    late_p99_ms: float
    """How late requests left; above a few milliseconds connections were missing, or the generator had no CPU."""
    commits_per_s: float
    """Of any kind: bets, settlement, accounts."""
    bets_per_commit: float
    settled_per_s: float
    cpu_us_per_bet: dict[str, float]
    machine_busy: float
    """Share of all CPUs' time that was not idle."""
    redis_mb: float
    wal_mb: float

    @property
    def is_carried(self) -> bool:
        """Tell whether the system kept up with this rate, in time and without an error."""
        return self.p99_ms < P99_MS_MAX and not self.errors and self.committed_per_s >= SHARE_LEAST * self.rate


class Yardstick(Struct):
    """What a simpler thing does in a second on this machine: three measurements and their median."""

    runs: list[float]
    per_s: float


class OneColumn(Struct):
    """How one column of `bets` bets ended while others were placed at `placed_per_s`."""

    bets: int
    placed_per_s: int
    settled_ms: int
    """From the commit that began the column to the one that ended it."""
    waited_ms_max: float
    """The longest that a bet placed meanwhile waited, from its enqueue to its answer."""


class Audit(Struct):
    """How the money was counted at the end of a system's run."""

    adds_up: bool
    summary: str


class Bench(Struct, kw_only=True):
    """The whole run. A ratio is the highest rate divided by the yardstick of its name."""

    rates: list[Rate] = field(default_factory=list)
    highest_rate: int = 0
    highest_rate_unsigned: int | None = None
    ratios: dict[str, float] = field(default_factory=dict)
    yardsticks: dict[str, Yardstick] = field(default_factory=dict)
    cpu_us_per_bet: dict[str, float] = field(default_factory=dict)
    """By process, at the highest rate."""
    writer_alone: Yardstick | None = None
    """Bets a second of the real writer when full jobs wait for it and nothing else runs."""
    writer_of_bare_sql: dict[str, float] = field(default_factory=dict)
    """The same as a share of each bare loop, by the yardstick's name."""
    one_column: list[OneColumn] = field(default_factory=list)
    """Three runs, the fastest first."""
    machine: dict[str, str | int | float | bool] = field(default_factory=dict)
    highest: list[Rate] = field(default_factory=list)
    """The repeats at the highest rate."""
    searched: list[Rate] = field(default_factory=list)
    unsigned: list[Rate] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0


def yardstick(runs: list[float]) -> Yardstick:
    """Put three measurements together."""
    return Yardstick([round(run, 1) for run in runs], round(sorted(runs)[len(runs) // 2], 1))
