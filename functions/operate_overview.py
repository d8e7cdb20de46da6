"""GET /api/operate/overview: how the house does, for its operator."""

from __future__ import annotations

import msgspec

from runtime.clock import rfc3339, rfc3339_if_any
from runtime.errors import Unavailable
from runtime.function import OperatorCall, function
from runtime.game.breaker import refuses_bets
from runtime.health.status import Check, SystemStatus, newest_commit, read_status, system_checks
from runtime.market.breaker import read_breaker
from runtime.messaging.connection import RedisError, seen_of
from runtime.messaging.metrics_exchange import gather, take, works_down
from runtime.messaging.redis_values import OverrideNote
from runtime.operating.feed import FeedView, feed_view
from runtime.operating.overrides import KeptOverride, newest_overrides
from runtime.operating.pace import Pace, read_pace
from runtime.operating.queues import QueueView, house_queues, read_queues
from runtime.storage.backups import FOLDER, newest_backup
from runtime.version import build

OVERRIDES_SHOWN = 10


class BreakerNow(msgspec.Struct, frozen=True):
    """The breaker's state, and the operator's word on it if there is one."""

    state: str
    since_at: str | None
    since_ms: int | None
    override: str
    override_until_at: str | None
    override_until_ms: int | None
    refuses_bets: bool
    who: str | None
    why: str | None


class LastBackup(msgspec.Struct, frozen=True):
    """The newest copy of the live database."""

    file: str
    made_at: str
    made_ms: int
    bytes: int
    commit: int


class LastAudit(msgspec.Struct, frozen=True):
    """What the last daily audit found."""

    at: str
    at_ms: int
    findings: int
    summary: str


class Overview(msgspec.Struct, frozen=True):
    """The house at one moment."""

    server_time: str
    server_time_ms: int
    mode: str
    version: str
    ok: bool
    """Whether all checks are well, as /healthz says."""
    checks: dict[str, Check]
    feed: FeedView
    breaker: BreakerNow
    overrides: list[KeptOverride]
    """The newest words on the breaker, newest first."""
    queues: list[QueueView]
    bets: Pace
    backup: LastBackup | None
    audit: LastAudit | None
    dashboard_domain: str
    """Where rq-dashboard is opened; it asks for a key of its own."""


@function(
    "GET",
    "/api/operate/overview",
    auth="operator",
    limits=("requests",),
    summary="Health, feed, breaker, queues and pace",
    response=Overview,
)
def overview(call: OperatorCall[None]) -> Overview:
    """Look at every part once."""
    parts, now_ms = call.parts, call.received_ms
    status = read_status(parts.redis, now_ms, len(parts.shards) or 1)
    if status is None:
        raise Unavailable("Redis does not answer: /healthz tells what else is known.")
    own = take(call.surroundings.metrics, call.surroundings.clock, parts.background)
    down = works_down(gather(parts.redis, own))
    checks = system_checks(status, newest_commit(parts.pool), down, seen_of(parts.redis))
    try:
        queues, note = read_queues(parts.redis, house_queues(len(parts.shards) or 1)), read_breaker(parts.redis)[1]
    except RedisError as ex:
        raise Unavailable("Redis does not answer.") from ex
    backup = newest_backup(parts.settings.data / FOLDER)
    return Overview(
        server_time=rfc3339(now_ms),
        server_time_ms=now_ms,
        mode=parts.settings.mode,
        version=build().version,
        ok=all(check.ok for check in checks.values()),
        checks=checks,
        feed=feed_view(parts.settings.feed_kind, status.sources, status.tick_age_ms, now_ms),
        breaker=_breaker(status, note),
        overrides=newest_overrides(parts.pool.execute, OVERRIDES_SHOWN),
        queues=queues,
        bets=read_pace([one.pool.execute for one in parts.shards or [parts]], status.backlog_bets, now_ms),
        backup=None
        if backup is None
        else LastBackup(backup.file, rfc3339(backup.made_ms), backup.made_ms, backup.bytes, backup.commit),
        audit=_audit(status),
        dashboard_domain=parts.settings.dashboard_domains[0],
    )


def _breaker(status: SystemStatus, note: OverrideNote | None) -> BreakerNow:
    one = status.breaker
    shown = note if one.override != "auto" else None
    return BreakerNow(
        state=one.state,
        since_at=rfc3339_if_any(one.since_ms),
        since_ms=one.since_ms,
        override=one.override,
        override_until_at=rfc3339_if_any(one.override_until_ms),
        override_until_ms=one.override_until_ms,
        refuses_bets=refuses_bets(one),
        who=shown.who if shown else None,
        why=shown.why if shown else None,
    )


def _audit(status: SystemStatus) -> LastAudit | None:
    one = status.audit
    return None if one is None else LastAudit(rfc3339(one.at_ms), one.at_ms, one.findings, one.summary)
