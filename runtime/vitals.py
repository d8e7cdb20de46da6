"""The system's vital signs, read at once: what each process leaves in Redis and how far the database has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from runtime.db import DatabaseError
from runtime.errors import Unavailable
from runtime.game.breaker import CRITICAL_MS_MIN, Breaker, refuses_bets
from runtime.redis_client import RedisError
from runtime.redis_keys import AUDIT_LAST, BACKLOG_BETS, BREAKER, FEED_ALIVE, SETTLER_ALIVE, TICK_LATEST, WRITER_ALIVE
from runtime.wire import decode_tick

KEYS = (FEED_ALIVE, SETTLER_ALIVE, WRITER_ALIVE, TICK_LATEST, BREAKER, BACKLOG_BETS, AUDIT_LAST)
NEWEST_COMMIT = "SELECT coalesce(max(number), 0) AS number FROM commits"


class Check(msgspec.Struct, frozen=True):
    """Whether one part is well, and what was seen."""

    ok: bool
    detail: str


class KeyReader(Protocol):
    """The call that is needed of a Redis client."""

    def mget(self, keys: Any, *more: Any) -> Any:
        """Return the values of keys."""
        ...


class RowReader(Protocol):
    """The call that is needed of a database's reader."""

    def rows(self, sql: str, params: Any = ()) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        ...


class Audit(msgspec.Struct, frozen=True):
    """What the last daily audit found."""

    at_ms: int
    findings: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """What Redis says of everything that runs; a process that is not `alive` has not renewed its key for 5 s."""

    feed_alive: bool
    settler_alive: bool
    writer_alive: bool
    writer_trouble: str
    tick_age_ms: int | None
    breaker: Breaker
    backlog_bets: int
    audit: Audit | None


def read_vitals(client: KeyReader, now_ms: int) -> Vitals | None:
    """Ask Redis in one round trip; None when it does not answer."""
    try:
        feed, settler, writer, tick, breaker, backlog, audited = client.mget(*KEYS)
    except RedisError:
        return None
    return Vitals(
        feed_alive=feed is not None,
        settler_alive=settler is not None,
        writer_alive=writer is not None,
        writer_trouble=msgspec.json.decode(writer).get("trouble", "") if writer else "",
        tick_age_ms=now_ms - decode_tick(tick).id if tick else None,
        breaker=Breaker.from_dict(msgspec.json.decode(breaker)) if breaker else Breaker(),
        backlog_bets=int(backlog or 0),
        audit=msgspec.json.decode(audited, type=Audit) if audited else None,
    )


def newest_commit(reads: RowReader) -> int | None:
    """Return the number of the newest commit; None when the database does not answer."""
    try:
        return int(reads.rows(NEWEST_COMMIT)[0]["number"])
    except (DatabaseError, Unavailable):
        return None


def process_checks(vitals: Vitals | None, commit: int | None) -> dict[str, Check]:
    """Tell whether a process of the API can answer: it needs the database and Redis, no more."""
    return {
        "database": Check(commit is not None, "no answer" if commit is None else f"newest commit {commit}"),
        "redis": Check(vitals is not None, "no answer" if vitals is None else "answers"),
    }


def system_checks(vitals: Vitals | None, commit: int | None) -> dict[str, Check]:
    """Tell whether everything is well that bets need from tap to payout."""
    checks = process_checks(vitals, commit)
    if vitals is None:
        unknown = Check(ok=False, detail="unknown while Redis does not answer")
        return checks | dict.fromkeys(("price_feed", "breaker", "scheduler", "writer"), unknown)
    return checks | {
        "price_feed": _price_feed(vitals),
        "breaker": _breaker(vitals.breaker),
        "scheduler": _alive(vitals.settler_alive, "settlement runs", "no settlement for 5 s"),
        "writer": _writer(vitals),
    }


def _price_feed(vitals: Vitals) -> Check:
    age_ms = vitals.tick_age_ms
    if age_ms is None:
        return Check(ok=False, detail="no tick yet")
    seen = f"newest tick {age_ms} ms old"
    if not vitals.feed_alive:
        return Check(ok=False, detail=f"the feed gives no sign of life; {seen}")
    return Check(age_ms <= CRITICAL_MS_MIN, seen)


def _breaker(breaker: Breaker) -> Check:
    return Check(not refuses_bets(breaker), f"{breaker.state}, override {breaker.override}")


def _alive(alive: bool, well: str, ill: str) -> Check:
    return Check(alive, well if alive else ill)


def _writer(vitals: Vitals) -> Check:
    if vitals.writer_trouble:
        return Check(ok=False, detail=vitals.writer_trouble)
    return _alive(vitals.writer_alive, f"{vitals.backlog_bets} bets wait", "no sign of life for 5 s")
