"""GET /healthz: is the whole system well? GET /readyz: can this process answer?"""

from __future__ import annotations

import msgspec

from runtime.function import Call, Reply, function
from runtime.health.status import Check, SystemStatus, newest_commit, process_checks, read_status, system_checks
from runtime.messaging.connection import seen_of
from runtime.messaging.metrics_exchange import gather, take, works_down


class SourceHealth(msgspec.Struct, frozen=True):
    """How one source of prices does; one that is ill alone makes nothing else so."""

    state: str
    fresh: bool
    """Whether its newest price is fresh."""
    counted: bool
    """Whether it agrees with the others, so that its price counts."""
    age_ms: int | None
    prices: int
    dropped: dict[str, int]
    reconnects: int
    offset_ppm: int | None


class Health(msgspec.Struct, frozen=True):
    """The sum of the checks, and each of them."""

    ok: bool
    mode: str
    checks: dict[str, Check]
    sources: dict[str, SourceHealth] = {}
    """The sources of prices; none while the feed says nothing."""


@function(
    "GET",
    "/healthz",
    auth="none",
    summary="Health of the whole system, for the operator",
    response=Health,
    also={503: Health},
)
def healthz(call: Call[None]) -> Reply:
    """Check every part; 503 when one is not well."""
    parts = call.parts
    status = read_status(parts.redis, call.received_ms, len(parts.shards) or 1)
    own = take(call.surroundings.metrics, call.surroundings.clock, parts.background)
    down = works_down(gather(parts.redis, own))
    checks = system_checks(status, newest_commit(parts.pool), down, seen_of(parts.redis))
    return _report(call, checks, _sources(status, call.received_ms))


@function(
    "GET",
    "/readyz",
    auth="none",
    summary="Readiness of this process, for containers",
    response=Health,
    also={503: Health},
)
def readyz(call: Call[None]) -> Reply:
    """Check the database, Redis and what runs in the background here; 503 when one of it is not well."""
    parts = call.parts
    status = read_status(parts.redis, call.received_ms, len(parts.shards) or 1)
    down, seen = parts.background.down(), seen_of(parts.redis)
    return _report(call, process_checks(status, newest_commit(parts.pool), down, seen))


def _report(call: Call[None], checks: dict[str, Check], sources: dict[str, SourceHealth] | None = None) -> Reply:
    ok = all(check.ok for check in checks.values())
    report = Health(ok=ok, mode=call.parts.settings.mode, checks=checks, sources=sources or {})
    return Reply(report, status=200 if ok else 503)


def _sources(status: SystemStatus | None, now_ms: int) -> dict[str, SourceHealth]:
    seen = status.sources.sources if status is not None and status.sources is not None else ()
    return {
        one.name: SourceHealth(
            state=one.state,
            fresh=one.fresh,
            counted=one.counted,
            age_ms=one.age_ms(now_ms),
            prices=one.prices,
            dropped=one.dropped,
            reconnects=one.reconnects,
            offset_ppm=one.offset_ppm,
        )
        for one in seen
    }
