"""What our Redis keys hold, each value written and read in one place (runtime.messaging.redis_keys names the keys)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import msgspec

from runtime.game.breaker import Breaker
from runtime.game.buckets import Bucket
from runtime.game.ticks import Tick

_encode = msgspec.json.encode
_tick = msgspec.json.Decoder(Tick)
_buckets = msgspec.json.Decoder(list[Bucket])


def encode_tick(tick: Tick) -> bytes:
    """Encode a tick: TICK_LATEST, the stream and the API have this form.

    Floats keep every digit, so that a rate can be recomputed from it.
    """
    return _encode(tick)


def decode_tick(data: bytes) -> Tick:
    """Decode a tick; raise msgspec.ValidationError for anything else."""
    return _tick.decode(data)


def encode_buckets(buckets: Iterable[Bucket]) -> bytes:
    """Encode the value of BUCKETS_CLOSED."""
    return _encode(sorted(buckets))


def decode_buckets(data: bytes | None) -> frozenset[Bucket]:
    """Decode BUCKETS_CLOSED; without a value none is known to be closed."""
    return frozenset() if data is None else frozenset(_buckets.decode(data))


class OverrideNote(msgspec.Struct, frozen=True):
    """Who set the breaker's override, why and when; kept beside the breaker, told to operators only."""

    who: str
    why: str
    set_ms: int


def encode_breaker(breaker: Breaker, note: OverrideNote | None) -> bytes:
    """Encode the value of BREAKER."""
    return _encode({**breaker.to_dict(), "note": note})


def decode_breaker(data: bytes | None) -> Breaker:
    """Decode the breaker from BREAKER or from a `status` event; without a value there is no history."""
    return Breaker() if data is None else Breaker.from_dict(msgspec.json.decode(data))


def decode_override_note(data: bytes | None) -> OverrideNote | None:
    """Decode the note in BREAKER."""
    note: Any = None if data is None else msgspec.json.decode(data).get("note")
    return None if note is None else msgspec.convert(note, OverrideNote)


class _Json(msgspec.Struct, frozen=True):
    """A value that is one JSON object."""

    def encode(self) -> bytes:
        """Encode the value."""
        return _encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the value; raise msgspec.ValidationError for anything else."""
        return msgspec.json.decode(data, type=cls)


class WriterAlive(_Json, frozen=True):
    """WRITER_ALIVE: no later commit is made before `clock_ms`; `trouble` says why nothing can be written, if so."""

    pid: int = 0
    since_ms: int = 0
    clock_ms: int = 0
    commit: int = 0
    trouble: str = ""


class SpareAlive(_Json, frozen=True):
    """WRITER_SPARE: where a writer stands by."""

    host: str
    pid: int


class AuditResult(_Json, frozen=True):
    """AUDIT_LAST: what the last daily audit found."""

    at_ms: int
    findings: int
    summary: str = ""


class JobSeen(_Json, frozen=True):
    """A value of JOBS_SEEN: when a periodic job last went well, or else was first registered; how long that may be."""

    since_ms: int
    overdue_s: int


def decode_jobs_seen(values: Mapping[bytes, bytes]) -> dict[str, JobSeen]:
    """Return JOBS_SEEN by the ids of the jobs."""
    return {job_id.decode(): JobSeen.decode(value) for job_id, value in values.items()}


class ArchiveResult(_Json, frozen=True):
    """ARCHIVE_LAST: when nothing was due any more, and the week that was archived then, if any."""

    at_ms: int
    week: str = ""


class ReplicaShipped(_Json, frozen=True):
    """REPLICA_SHIPPED: up to when what was committed is in the replica, by the name of the database."""

    until_ms: dict[str, int]


class SourceSeen(msgspec.Struct, frozen=True):
    """How one source of prices does; `fresh` says that a price came lately, `counted` that it agrees with others."""

    name: str
    state: str
    fresh: bool
    counted: bool
    last_price_ms: int | None
    last_price_cents: int | None
    prices: int
    dropped: dict[str, int]
    """How many made no price, by reason."""
    reconnects: int
    offset_ppm: int | None
    """How far it is from the consensus for minutes on end, in millionths; None while that is not known."""
    last_error: str = ""

    def age_ms(self, now_ms: int) -> int | None:
        """Return how long ago its newest price arrived; None before the first."""
        return None if self.last_price_ms is None else max(0, now_ms - self.last_price_ms)


class FeedSources(_Json, frozen=True):
    """FEED_SOURCES: every source of the feed, and how many must agree on a price."""

    at_ms: int
    needed: int
    sources: tuple[SourceSeen, ...]

    @property
    def counted(self) -> int:
        """How many sources are fresh and agree."""
        return sum(source.counted for source in self.sources)

    @property
    def too_few(self) -> bool:
        """Whether there are several sources, and fewer agree than must; of a single one its ticks tell."""
        return len(self.sources) > 1 and self.counted < self.needed


class PendingBet(msgspec.Struct, frozen=True):
    """A key of `pending`: whose bet is on its way, and the last moment at which it may be committed."""

    user_id: str
    decided_by_ms: int

    def encode(self) -> str:
        """Encode the value: `{user_id}:{decided_by_ms}`."""
        return f"{self.user_id}:{self.decided_by_ms}"

    @classmethod
    def decode(cls, data: bytes) -> PendingBet:
        """Decode the value."""
        user_id, _, decided_by_ms = data.decode().partition(":")
        return cls(user_id, int(decided_by_ms))
