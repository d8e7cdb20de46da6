"""What the bench finds out, as it is written to build/bench.json."""

from __future__ import annotations

from msgspec import Struct

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
    commits_per_s: float
    bets_per_commit: float
    settled_per_s: float
    cpu_us_per_bet: dict[str, float]
    machine_busy: float
    """Share of all CPUs' time that was not idle."""
    redis_mb: float
    wal_mb: float

    @property
    def is_carried(self) -> bool:
        """Tell whether the system kept up with this rate in time and without an error."""
        return self.p99_ms < P99_MS_MAX and not self.errors and self.committed_per_s >= SHARE_LEAST * self.rate
