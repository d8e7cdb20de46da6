"""GET /metrics: Prometheus text of every process, and the figures of the whole system as they are now."""

from __future__ import annotations

from runtime.function import Call, Reply, function
from runtime.game.breaker import State
from runtime.metrics import Metrics, Snapshot
from runtime.metrics_exchange import collect, take
from runtime.metrics_text import CONTENT_TYPE, exposition
from runtime.redis_client import RedisError
from runtime.vitals import newest_commit, read_vitals, system_checks


@function("GET", "/metrics", auth="none", summary="Prometheus metrics", response=str, media="text/plain")
def metrics(call: Call[None]) -> Reply:
    """Gather what all processes measured; without Redis only this one's figures are there."""
    own = take(call.surroundings.metrics, call.surroundings.clock)
    try:
        others = collect(call.parts.redis, call.received_ms)
    except RedisError:
        others = []
    # What this process pushed a moment ago gives way to what it has measured by now.
    snapshots = [one for one in others if (one.process, one.pid) != (own.process, own.pid)]
    return Reply(exposition([*snapshots, own, _system(call)]), content_type=CONTENT_TYPE)


def _system(call: Call[None]) -> Snapshot:
    system = Metrics("system")
    vitals = read_vitals(call.parts.redis, call.received_ms)
    commit = newest_commit(call.parts.reads)
    for part, check in system_checks(vitals, commit).items():
        system.set("taptrade_up", int(check.ok), part)
    if commit is not None:
        system.set("taptrade_writer_commit", commit)
    if vitals is not None:
        system.set("taptrade_backlog_bets", vitals.backlog_bets)
        for state in State:
            system.set("taptrade_breaker_state", int(vitals.breaker.state is state), state.value)
        if vitals.audit is not None:
            system.set("taptrade_audit_findings", vitals.audit.findings)
            system.set("taptrade_audit_time_seconds", vitals.audit.at_ms / 1000)
        if vitals.tick_age_ms is not None:
            system.set("taptrade_tick_age_seconds", vitals.tick_age_ms / 1000)
    return system.snapshot(0, call.received_ms)
