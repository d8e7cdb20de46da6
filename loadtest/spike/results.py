"""What a spike did, and whether the system took it as it should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from loadtest.bench.results import P99_MS_MAX, Audit
from loadtest.bench.schedule import Figures

BEYOND_CAPACITY = frozenset({"OVERLOADED", "UNAVAILABLE"})
"""Refusals for lack of capacity; the generator has checked that each says when to come back."""
TOO_LATE = frozenset(
    {
        "PENDING",
        "BET_EXPIRED",
        "CELL_CLOSED",
        "CELL_NOT_OFFERED",
        "RATE_MOVED",
        "SIGNATURE_EXPIRED",
        "PRICE_FEED_STALE",
        "NEVER_SENT",
    }
)
"""What becomes of a bet that waited: still pending after two seconds, or its price or cell gone by."""
COMMITTED_P99_MS_MAX = 1_000.0
"""A bet that is let in past capacity must still be of use; what could not be answered by then is to be refused."""


class Phase(Struct):
    """One stretch of load; p50, p99 and max are of the committed bets."""

    name: str
    sent: int
    committed: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    all_p99_ms: float
    """Refusals, and whatever else was answered, included."""
    late_p99_ms: float
    errors: dict[str, int]


class Second(Struct):
    """What was answered so far, at one second of the spike."""

    at_s: int
    committed: int
    errors: int
    backlog_bets: int
    api_mb: float
    """Memory that the API's processes have to themselves."""


class Spike(Struct, kw_only=True):
    """A whole run; `recovered_s` is how long after the last answer of the spike p99 was normal, None for never."""

    rate: int
    connections: int
    held_committed_per_s: float
    """While the rate was at the top."""
    held_others_per_s: float
    phases: list[Phase]
    seconds: list[Second]
    recovered_s: float | None
    died: list[str]
    audit: Audit
    machine: dict[str, str | int | float | bool]


def phase(name: str, figures: Figures) -> Phase:
    """Put one stretch's figures together."""
    return Phase(
        name=name,
        sent=figures.good + figures.errors.total(),
        committed=figures.good,
        p50_ms=figures.good_latencies.percentile_ms(50),
        p99_ms=figures.good_latencies.percentile_ms(99),
        max_ms=round(figures.good_latencies.max_us / 1000, 2),
        all_p99_ms=figures.latencies.percentile_ms(99),
        late_p99_ms=figures.lateness.percentile_ms(99),
        errors=dict(figures.errors),
    )


def is_normal(one: Phase) -> bool:
    """Tell whether players would notice nothing."""
    return one.p99_ms < P99_MS_MAX and not one.errors


def held(seconds: Sequence[Second], from_s: float, until_s: float) -> tuple[float, float]:
    """Return bets committed and other answers a second between two seconds of the spike."""
    within = [one for one in seconds if from_s <= one.at_s <= until_s]
    if len(within) < 2:
        return 0.0, 0.0
    first, last = within[0], within[-1]
    passed_s = last.at_s - first.at_s
    return (last.committed - first.committed) / passed_s, (last.errors - first.errors) / passed_s


def died(before: Mapping[int, str], after: Mapping[int, str]) -> list[str]:
    """Return the names of processes that were there before and are not there after."""
    return sorted(name for pid, name in before.items() if pid not in after)


def complaints(spike: Spike) -> list[str]:
    """Return what went wrong; empty if the spike was taken as it should."""
    found = [f"{name} died" for name in spike.died]
    for one in spike.phases:
        broken = {code: n for code, n in one.errors.items() if code not in BEYOND_CAPACITY | TOO_LATE}
        if broken:
            found.append(f"{one.name}: {broken}")
        if one.p99_ms >= COMMITTED_P99_MS_MAX:
            found.append(f"{one.name}: bets were let in that waited {one.p99_ms:,.0f} ms for their commit (p99)")
    if spike.recovered_s is None:
        found.append("latency did not come back to normal")
    if not spike.audit.adds_up:
        found.append("the money does not add up")
    return found
