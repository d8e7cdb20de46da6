"""GET /metrics: Prometheus text of every process, and the figures of the whole system as they are now."""

from __future__ import annotations

from contextlib import suppress

from runtime.errors import Unavailable
from runtime.function import Call, Reply, function
from runtime.game.breaker import State
from runtime.health.status import SystemStatus, newest_commit, read_jobs, read_status, system_checks
from runtime.messaging.connection import RedisError
from runtime.messaging.metrics_exchange import gather, take, works_down
from runtime.messaging.redis_values import FeedSources
from runtime.metrics.table import Metrics, Snapshot
from runtime.metrics.text import CONTENT_TYPE, exposition
from runtime.operating.exposure import settlement_lag_ms
from runtime.operating.queues import house_queues, oldest_waiting_ms
from runtime.storage.backups import FOLDER, newest_backup
from runtime.storage.database import DatabaseError

FAULTS = ("outlier", "late", "zero", "garbage", "crossed")
"""Why prices are left out that an alert asks for: it sees how many more they become only of what was there before."""


@function("GET", "/metrics", auth="none", summary="Prometheus metrics", response=str, media="text/plain")
def metrics(call: Call[None]) -> Reply:
    """Gather what all processes measured; without Redis only this one's figures are there."""
    own = take(call.surroundings.metrics, call.surroundings.clock, call.parts.background)
    snapshots = gather(call.parts.redis, own)
    return Reply(exposition([*snapshots, _system(call, works_down(snapshots))]), content_type=CONTENT_TYPE)


def _system(call: Call[None], down: list[str]) -> Snapshot:
    figures = Metrics("system")
    status = read_status(call.parts.redis, call.received_ms, len(call.parts.shards) or 1)
    commit = newest_commit(call.parts.pool)
    for part, check in system_checks(status, commit, down).items():
        figures.set("taptrade_up", int(check.ok), part)
    if commit is not None:
        figures.set("taptrade_writer_commit", commit)
        _measure_settlement(figures, call)
    if status is not None:
        _measure_status(figures, status, call.received_ms)
        _measure_replica(figures, status, call)
        if not call.parts.settings.database_url:  # else no week is archived
            figures.set("taptrade_last_successful_archive_timestamp", status.archived_ms / 1000)
        with suppress(RedisError):
            _measure_jobs(figures, call)
    backup = newest_backup(call.parts.settings.data / FOLDER)
    if backup is not None:
        figures.set("taptrade_backup_time_seconds", backup.made_ms / 1000)
    return figures.snapshot(0, call.received_ms)


def _measure_status(figures: Metrics, status: SystemStatus, now_ms: int) -> None:
    figures.set("taptrade_backlog_bets", status.backlog_bets)
    for state in State:
        figures.set("taptrade_breaker_state", int(status.breaker.state is state), state.value)
    if status.audit is not None:
        figures.set("taptrade_audit_findings", status.audit.findings)
        figures.set("taptrade_audit_time_seconds", status.audit.at_ms / 1000)
    if status.sources is not None:
        _measure_sources(figures, status.sources, now_ms)
    if status.tick_age_ms is not None:
        figures.set("taptrade_tick_age_seconds", status.tick_age_ms / 1000)


def _measure_replica(figures: Metrics, status: SystemStatus, call: Call[None]) -> None:
    settings = call.parts.settings
    shipped = (settings.database, settings.ticks_database, settings.functions_database)
    for database in shipped if settings.replica_url else ():
        until_ms = status.replica_until_ms.get(database.name, 0)
        figures.set("taptrade_replica_age_seconds", (call.received_ms - until_ms) / 1000, database.name)


def _measure_settlement(figures: Metrics, call: Call[None]) -> None:
    with suppress(DatabaseError, Unavailable):
        lag_ms = settlement_lag_ms(call.parts.pool.execute, call.parts.settings.column_seconds, call.received_ms)
        figures.set("taptrade_settlement_lag_seconds", lag_ms / 1000)


def _measure_jobs(figures: Metrics, call: Call[None]) -> None:
    for job, seen in read_jobs(call.parts.redis).items():
        figures.set("taptrade_job_success_time_seconds", seen.since_ms / 1000, job)
        figures.set("taptrade_job_overdue_seconds", seen.overdue_s, job)
    queues = house_queues(len(call.parts.shards) or 1)
    since_ms = oldest_waiting_ms(call.parts.redis, queues)
    for queue in queues:
        waits_ms = call.received_ms - since_ms.get(queue, call.received_ms)
        figures.set("taptrade_queue_age_seconds", max(0, waits_ms) / 1000, queue)


def _measure_sources(figures: Metrics, sources: FeedSources, now_ms: int) -> None:
    figures.set("taptrade_sources_needed", sources.needed)
    figures.set("taptrade_sources_fresh", sum(source.fresh for source in sources.sources))
    figures.set("taptrade_sources_counted", sources.counted)
    for source in sources.sources:
        figures.count("taptrade_source_prices_total", source.name, by=source.prices)
        figures.count("taptrade_source_reconnects_total", source.name, by=source.reconnects)
        for reason, count in (dict.fromkeys(FAULTS, 0) | source.dropped).items():
            figures.count("taptrade_source_dropped_total", source.name, reason, by=count)
        figures.set("taptrade_source_fresh", int(source.fresh), source.name)
        age_ms = source.age_ms(now_ms)
        if age_ms is not None:
            figures.set("taptrade_source_age_seconds", age_ms / 1000, source.name)
        if source.offset_ppm is not None:
            figures.set("taptrade_source_offset_ratio", source.offset_ppm / 1_000_000, source.name)
