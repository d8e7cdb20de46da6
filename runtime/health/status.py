"""The state of the whole system, read at once: what each process leaves in Redis, how far the database has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from runtime.clock import rfc3339
from runtime.errors import Unavailable
from runtime.game.breaker import CRITICAL_MS_MIN, Breaker, as_of, refuses_bets
from runtime.game.ledger import SQL
from runtime.messaging.connection import RedisError
from runtime.messaging.redis_keys import (
    ARCHIVE_LAST,
    AUDIT_LAST,
    BACKLOG_BETS,
    BREAKER,
    FEED_ALIVE,
    FEED_SOURCES,
    JOBS_SEEN,
    REPLICA_SHIPPED,
    SETTLER_ALIVE,
    TICK_LATEST,
    WRITER_ALIVE,
    WRITER_SPARE,
    of_shard,
)
from runtime.messaging.redis_values import (
    ArchiveResult,
    AuditResult,
    FeedSources,
    JobSeen,
    ReplicaShipped,
    SpareAlive,
    WriterAlive,
    decode_breaker,
    decode_jobs_seen,
    decode_tick,
)
from runtime.storage.database import DatabaseError

KEYS = (
    *(FEED_ALIVE, FEED_SOURCES, SETTLER_ALIVE),
    *(TICK_LATEST, BREAKER, AUDIT_LAST, ARCHIVE_LAST, REPLICA_SHIPPED),
)
OF_WRITERS = (WRITER_ALIVE, WRITER_SPARE, BACKLOG_BETS)


class Check(msgspec.Struct, frozen=True):
    """Whether one part is well, and what was seen."""

    ok: bool
    detail: str
    """What was seen, in a sentence."""


class KeyReader(Protocol):
    """The call that is needed of a Redis client."""

    def mget(self, keys: Any, *more: Any) -> Any:
        """Return the values of keys."""
        ...


class HashReader(Protocol):
    """The call that is needed of a Redis client for the periodic jobs."""

    def hgetall(self, name: str) -> Any:
        """Return a hash."""
        ...


class RowReader(Protocol):
    """The call that is needed of a database's reader."""

    def rows(self, sql: str, params: Any = ()) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        ...


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """What Redis says of everything that runs; a process that is not `alive` has not renewed its key for 5 s."""

    feed_alive: bool
    sources: FeedSources | None
    settler_alive: bool
    writer_alive: bool
    """Whether that of each shard is."""
    writer_trouble: str
    spare: str
    """The machine on which a writer stands by; empty where none does."""
    tick_age_ms: int | None
    breaker: Breaker
    backlog_bets: int
    audit: AuditResult | None
    archived_ms: int
    """When nothing was due for its archive any more; 0 before the first run."""
    replica_until_ms: dict[str, int]
    """Up to when what was committed is in the replica, by the name of the database."""


def read_status(client: KeyReader, now_ms: int, shards: int = 1) -> SystemStatus | None:
    """Ask Redis in one round trip; None when it does not answer."""
    of_writers = [of_shard(key, shard) for key in OF_WRITERS for shard in range(1, shards + 1)]
    try:
        found = client.mget(*KEYS, *of_writers)
    except RedisError:
        return None
    feed, sources, settler, tick, breaker, audited, archived, shipped = found[: len(KEYS)]
    said = found[len(KEYS) :]
    writers, spares, backlogs = (said[at : at + shards] for at in (0, shards, 2 * shards))
    spare = next(filter(None, spares), None)
    troubles = [WriterAlive.decode(one).trouble for one in writers if one]
    return SystemStatus(
        feed_alive=feed is not None,
        sources=FeedSources.decode(sources) if sources else None,
        settler_alive=settler is not None,
        writer_alive=None not in writers,
        spare=SpareAlive.decode(spare).host if spare else "",
        writer_trouble=next(filter(None, troubles), ""),
        tick_age_ms=now_ms - decode_tick(tick).id if tick else None,
        breaker=as_of(decode_breaker(breaker), now_ms),
        backlog_bets=sum(int(one or 0) for one in backlogs),
        audit=AuditResult.decode(audited) if audited else None,
        archived_ms=ArchiveResult.decode(archived).at_ms if archived else 0,
        replica_until_ms=ReplicaShipped.decode(shipped).until_ms if shipped else {},
    )


def read_jobs(client: HashReader) -> dict[str, JobSeen]:
    """Return when each periodic job last went well."""
    return decode_jobs_seen(client.hgetall(JOBS_SEEN))


def newest_commit(pool: RowReader) -> int | None:
    """Return the number of the newest commit; None when the database does not answer."""
    try:
        return int(pool.rows(SQL["newest_commit"])[0]["number"])
    except (DatabaseError, Unavailable):
        return None


def process_checks(
    status: SystemStatus | None, commit: int | None, down: Sequence[str], redis: str = ""
) -> dict[str, Check]:
    """Tell whether a process of the API can answer: it needs the database, Redis, and its work in the background.

    `down` names the background work that does not run well, `redis` which server answers, or why none does.
    """
    seen = "no answer" if status is None else "answers"
    return {
        "database": Check(commit is not None, "no answer" if commit is None else f"newest commit {commit}"),
        "redis": Check(status is not None, f"{seen}: {redis}" if redis else seen),
        "background": Check(not down, f"down: {', '.join(down)}" if down else "all of it runs"),
    }


def system_checks(
    status: SystemStatus | None, commit: int | None, down: Sequence[str], redis: str = ""
) -> dict[str, Check]:
    """Tell whether everything is well that bets need from tap to payout; `down` is that of all processes."""
    checks = process_checks(status, commit, down, redis)
    if status is None:
        unknown = Check(ok=False, detail="unknown while Redis does not answer")
        return checks | dict.fromkeys(("price_feed", "breaker", "scheduler", "writer"), unknown)
    return checks | {
        "price_feed": _price_feed(status),
        "breaker": _breaker(status.breaker),
        "scheduler": _alive(status.settler_alive, "settlement runs", "no settlement for 5 s"),
        "writer": _writer(status),
    }


def _price_feed(status: SystemStatus) -> Check:
    age_ms, sources = status.tick_age_ms, status.sources
    seen = "no tick yet" if age_ms is None else f"newest tick {age_ms} ms old"
    if age_ms is not None and not status.feed_alive:
        return Check(ok=False, detail=f"the feed gives no sign of life; {seen}")
    if sources is not None and len(sources.sources) > 1:
        seen += f"; {sources.counted} of {len(sources.sources)} sources agree, {sources.needed} must"
    too_few = sources is not None and sources.too_few
    return Check(age_ms is not None and age_ms <= CRITICAL_MS_MIN and not too_few, seen)


def _breaker(breaker: Breaker) -> Check:
    ends = f" until {rfc3339(breaker.override_until_ms)}" if breaker.override_until_ms else ""
    return Check(not refuses_bets(breaker), f"{breaker.state}, override {breaker.override}{ends}")


def _alive(alive: bool, well: str, ill: str) -> Check:
    return Check(alive, well if alive else ill)


def _writer(status: SystemStatus) -> Check:
    if status.writer_trouble:
        return Check(ok=False, detail=status.writer_trouble)
    spare = f"; a spare stands by on {status.spare}" if status.spare else ""
    return _alive(status.writer_alive, f"{status.backlog_bets} bets wait{spare}", f"no sign of life for 5 s{spare}")
