"""The event bus: two Redis streams, who writes to them and how they are followed. Nothing else knows their names."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import redis

from runtime.background import Background
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.messaging.connection import OUTAGES
from runtime.messaging.redis_keys import BUS_COMMITS, BUS_COMMITS_KEEP, BUS_PUBLIC, BUS_PUBLIC_KEEP_MS, of_shard

logger = logging.getLogger(__name__)

PublicType = Literal["price", "grid", "status", "touched"]

BLOCK_MS = 5_000
ENTRIES_MAX = 500
SYNCHRONIZE_MS = 5_000
GATHER_S = 0.02
"""What comes so soon after a reading is read with the next one: to read each of 75 commits a second by itself takes a
twentieth of the API's time."""
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 1.0
START = "0-0"


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """One entry for everybody: a price, a grid, the breaker's status or a touched cell."""

    id: str
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PublishedCommit:
    """What one commit tells: a JSON list of {n, user, type, data}."""

    commit: int
    events: bytes


class Listener(Protocol):
    """Take what the bus brings; called by one reader only, so never twice at once."""

    def synchronize(self, client: redis.Redis, public_id: str) -> None:
        """Read anew what is not on the bus; entries after `public_id` will be delivered."""
        ...

    def receive(self, events: Sequence[PublicEvent], commits: Sequence[PublishedCommit]) -> None:
        """Take the entries of one reading, each list in the order of its stream."""
        ...


def publish_public(client: redis.Redis, kind: PublicType, data: bytes, now_ms: int) -> None:
    """Tell everybody; `client` may be a pipeline. Entries older than ten minutes go, roughly."""
    client.xadd(
        BUS_PUBLIC, {"type": kind, "data": data}, minid=f"{max(0, now_ms - BUS_PUBLIC_KEEP_MS)}-0", approximate=True
    )


def publish_commit(client: redis.Redis, commit: int, events: bytes, shard: int = 1) -> None:
    """Carry the events of a shard's commit to the API processes; `client` may be a pipeline.

    Only the newest are kept: who misses one reads it from the database.
    """
    stream = of_shard(BUS_COMMITS, shard)
    client.xadd(stream, {"commit": commit, "events": events}, maxlen=BUS_COMMITS_KEEP, approximate=True)


def order(stream_id: str) -> tuple[int, int]:
    """Return what ids of a stream compare by; raise ValueError for what is no id."""
    ms, _, sequence = stream_id.partition("-")
    return int(ms), int(sequence)


def public_between(client: redis.Redis, after: str, upto: str) -> Iterator[PublicEvent]:
    """Yield the public entries with after < id <= upto, oldest first, page by page."""
    while True:
        page: Any = client.xrange(BUS_PUBLIC, min=f"({after}", max=upto, count=ENTRIES_MAX)
        events = [_public(entry) for entry in page]
        yield from events
        if len(page) < ENTRIES_MAX:
            return
        after = events[-1].id


def oldest_public_id(client: redis.Redis) -> str | None:
    """Return the id of the oldest public entry that is still kept."""
    page: Any = client.xrange(BUS_PUBLIC, count=1)
    return page[0][0].decode() if page else None


def newest_public_id(client: redis.Redis) -> str:
    """Return the id of the newest public entry."""
    return _newest_id(client, BUS_PUBLIC)


class BusReader:
    """Follow both streams for ever, over outages of Redis and over one that comes back empty."""

    def __init__(
        self,
        client: redis.Redis,
        clock: Clock,
        listeners: Sequence[Listener],
        *,
        block_ms: int = BLOCK_MS,
        shard: int = 1,
    ) -> None:
        """Listeners hear of a shard's commits, and of what is public.

        `client` must allow commands that block for `block_ms`: redis_client.connect(url, block_s=...)."""
        timeout_s = client.connection_pool.connection_kwargs.get("socket_timeout")
        if timeout_s is not None and timeout_s * 1000 <= block_ms:
            raise ValueError(f"a socket time-out of {timeout_s} s would cut off commands that block for {block_ms} ms")
        self._client = client
        self._clock = clock
        self._listeners = tuple(listeners)
        self._block_ms = block_ms
        self._commits = of_shard(BUS_COMMITS, shard)
        self._stopping = threading.Event()
        self._cursors: dict[str, str] = {}
        self._synchronized_ms: int | None = None
        self._failures = 0

    def start(self, background: Background) -> None:
        """Run in the background."""
        background.start("bus", self.run)

    def stop(self) -> None:
        """End `run` after the reading that is under way."""
        self._stopping.set()

    def run(self) -> None:
        """Read until stopped, over outages of Redis and of the database."""
        # Whatever ended the last run, listeners may have missed something.
        self._synchronized_ms = None
        while not self._stopping.is_set():
            try:
                self._read_once()
                self._failures = 0
            except (*OUTAGES, Unavailable) as ex:
                if self._failures == 0:
                    logger.warning("lost the bus, trying again: %s", ex)
                self._back_off()

    def _back_off(self) -> None:
        self._synchronized_ms = None
        self._stopping.wait(min(BACKOFF_FIRST_S * 2 ** min(self._failures, 10), BACKOFF_MAX_S))
        self._failures += 1

    def _read_once(self) -> None:
        now_ms = self._clock.monotonic_ms()
        if self._synchronized_ms is None or now_ms - self._synchronized_ms >= SYNCHRONIZE_MS:
            self._synchronize()
            self._synchronized_ms = now_ms
        cursors: dict[Any, Any] = {**self._cursors}
        reply: Any = self._client.xread(cursors, count=ENTRIES_MAX, block=self._block_ms)
        if reply:
            self._deliver(reply)
            self._stopping.wait(GATHER_S)

    def _synchronize(self) -> None:
        for name in (BUS_PUBLIC, self._commits):
            newest = _newest_id(self._client, name)
            known = self._cursors.get(name)
            # A Redis that came up empty counts from the start again; on a clock that stepped back, below our cursor.
            self._cursors[name] = newest if known is None else START if order(newest) < order(known) else known
        for listener in self._listeners:
            listener.synchronize(self._client, self._cursors[BUS_PUBLIC])

    def _deliver(self, reply: Any) -> None:
        streams = dict(reply)
        events = [_public(entry) for entry in streams.get(BUS_PUBLIC.encode(), [])]
        entries = streams.get(self._commits.encode(), [])
        commits = [PublishedCommit(int(fields[b"commit"]), fields[b"events"]) for _, fields in entries]
        # The cursor moves first: an entry that breaks a listener is not brought to it again and again.
        if events:
            self._cursors[BUS_PUBLIC] = events[-1].id
        if entries:
            self._cursors[self._commits] = entries[-1][0].decode()
        failed: list[Exception] = []
        for listener in self._listeners:
            try:
                listener.receive(events, commits)
            except Exception as ex:  # noqa: BLE001  the others hear it before it is raised
                failed.append(ex)
        if failed:
            raise failed[0]


def _public(entry: tuple[bytes, dict[bytes, bytes]]) -> PublicEvent:
    stream_id, fields = entry
    return PublicEvent(stream_id.decode(), fields[b"type"].decode(), fields[b"data"])


def _newest_id(client: redis.Redis, name: str) -> str:
    page: Any = client.xrevrange(name, count=1)
    return page[0][0].decode() if page else START
