"""What the readers found, as it is written to build/streams.json."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from loadtest.bench.results import Audit
from loadtest.soak.samples import ProcessSample
from loadtest.spike.results import Phase
from loadtest.streams.readers import Received
from loadtest.streams.tally import deliveries

P99_MS_MAX = 250.0
NEWEST_ONLY = ("price", "grid")
"""Of these a reader that is behind gets the newest; all others must reach everyone."""
NEVER_SKIPPED = ("touched", "status", "column")


class Reach(Struct):
    """How far one type of event came."""

    published: int
    received: int
    missing: int
    """Of published x readers: overtaken by a newer one, or lost if the type is never skipped."""


class Crowd(Struct, kw_only=True):
    """One crowd of readers."""

    events: str
    clients: int
    dropped: int
    price_p50_ms: float
    price_p99_ms: float
    price_max_ms: float
    grid_p99_ms: float
    reach: dict[str, Reach]
    mb_per_s: float
    kb_per_stream: dict[str, float]
    """Own memory of each process that the streams added, divided by their number; `kernel` is TCP's buffers."""
    cpu_percent: dict[str, float]
    bets: Phase

    @property
    def lost(self) -> int:
        """Return how many events did not reach a reader that they must reach."""
        return sum(found.missing for kind, found in self.reach.items() if kind in NEVER_SKIPPED)


class StreamsRun(Struct, kw_only=True):
    """A whole run."""

    clients: int
    bets_per_s: int
    seconds: float
    crowds: list[Crowd]
    audits: list[Audit]
    machine: dict[str, str | int | float | bool]


def complaints(run: StreamsRun) -> list[str]:
    """Return what is not as it should be: every reader stays, in time and without a loss, and no cent is off."""
    found = [] if all(audit.adds_up for audit in run.audits) else ["The money does not add up."]
    for crowd in run.crowds:
        name = crowd.events or "everything"
        if crowd.price_p99_ms >= P99_MS_MAX:
            found.append(f"Readers of {name} got prices {crowd.price_p99_ms:,.0f} ms old (p99).")
        if crowd.lost or crowd.dropped:
            found.append(f"Of {name}, {crowd.lost:,} events were lost and {crowd.dropped:,} readers dropped.")
    return found


def reach_of(
    received: Received, published: Mapping[str, set[bytes]], clients: int, wanted: frozenset[str]
) -> dict[str, Reach]:
    """Compare what was published with what the readers received, by type."""
    found = {}
    for kind, ids in published.items():
        if kind in wanted and ids:
            count = deliveries(received.tally.received, kind.encode(), ids)
            found[kind] = Reach(len(ids), count, len(ids) * clients - count)
    return found


def kb_per_stream(
    before: Mapping[str, ProcessSample], after: Mapping[str, ProcessSample], kernel_kb: float, clients: int
) -> dict[str, float]:
    """Divide the memory that opening the streams took."""
    added = {name: after[name].own_mb - before[name].own_mb for name in ("api", "nginx") if name in before}
    per_stream = {name: round(mb * 1024 / clients, 1) for name, mb in added.items()}
    return {**per_stream, "kernel": round(kernel_kb / clients, 1)}
