"""Tell Redis: every stored tick at once, the grid four times a second; a slow or absent Redis holds up no tick."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from jobs.feed.touched import Touches
from runtime.background import Background
from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.game.buckets import Bucket
from runtime.game.shards import SHARDS_MAX
from runtime.game.ticks import Tick
from runtime.market.touched import Touched
from runtime.messaging.bus import publish_public
from runtime.messaging.connection import Redis, RedisError
from runtime.messaging.redis_keys import (
    ALIVE_TTL_S,
    BUCKETS_CLOSED,
    FEED_ALIVE,
    FEED_SOURCES,
    GRID_LATEST,
    TICK_LATEST,
    of_shard,
)
from runtime.messaging.redis_values import FeedSources, decode_buckets, encode_tick

logger = logging.getLogger(__name__)

GRID_EVERY_MS = 250
PAUSE_AFTER_FAILURE_S = 0.25
CLOSED_BY_WRITERS = [of_shard(BUCKETS_CLOSED, shard) for shard in range(1, SHARDS_MAX + 1)]
"""The grid is everybody's: what any writer has closed is not in it."""
PENDING_MAX = 100
"""Ten seconds of ticks: more than ever waits, unless Redis is away and only the newest counts anyway."""

EncodedGrid = Callable[[Tick, int, frozenset[Bucket]], bytes]
"""Return the grid's JSON for a tick at a time, without the cells of the closed buckets."""


class NotCertain(TaptradeError):
    """Another machine's feed may be the one at work by now."""


class Publisher:
    """Publish in the background what the feed hands over with `offer`."""

    def __init__(
        self,
        client: Redis,
        clock: Clock,
        grid: EncodedGrid,
        touches: Touches,
        is_certain: Callable[[], bool] = lambda: True,
    ) -> None:
        """`is_certain` tells whether this is the one feed at work; nothing is published while it is not."""
        self._client = client
        self._is_certain = is_certain
        self._clock = clock
        self._grid = grid
        self._touches = touches
        self._wake = threading.Condition()
        self._pending: list[tuple[Tick, Touched | None]] = []
        self._newest: Tick | None = None
        self._sources: FeedSources | None = None
        self._grid_due_ms = clock.monotonic_ms()
        self._stopping = False
        self._failing = False

    def start(self, background: Background) -> None:
        """Publish in the background."""
        background.start("publisher", self.run)

    def stop(self) -> None:
        """Let `run` end once it has published what waits."""
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def offer(self, tick: Tick) -> None:
        """Hand over a tick that is stored; never blocks. Only the feed's own thread calls this."""
        touched = self._touches.add(tick)
        with self._wake:
            self._pending.append((tick, touched))
            del self._pending[:-PENDING_MAX]
            self._wake.notify()

    def tell(self, sources: FeedSources) -> None:
        """Hand over how the sources do; it goes out with the next grid, or instead of it where there is no price."""
        self._sources = sources

    def run_once(self) -> None:
        """Publish the waiting ticks, and the grid if it is due, in one transaction.

        After a failure only the newest tick waits on, and the column's range: backlog is of no use to anyone.
        """
        with self._wake:
            waiting, self._pending = self._pending, []
        try:
            self._publish(waiting)
        except (RedisError, NotCertain) as ex:
            with self._wake:
                self._pending = _newest_of(waiting + self._pending)
            if not self._failing:
                logger.warning("cannot publish, trying again: %s", ex)
            self._failing = True
        else:
            if self._failing:
                logger.info("publishing again")
            self._failing = False

    def _publish(self, waiting: list[tuple[Tick, Touched | None]]) -> None:
        if not self._is_certain():
            raise NotCertain("another machine may be at work")
        now_ms = self._clock.now_ms()
        pipe = self._client.pipeline(transaction=True)
        if waiting and self._newest is None:
            self._grid_due_ms = self._clock.monotonic_ms()
        for tick, touched in waiting:
            self._newest = tick
            publish_public(pipe, "price", encode_tick(tick), now_ms)
            if touched:
                publish_public(pipe, "touched", msgspec.json.encode(touched), now_ms)
        is_due = self._grid_is_due()
        if self._newest is not None:
            # Set with every grid too, so that a Redis that came back empty knows the price at once.
            pipe.set(TICK_LATEST, encode_tick(self._newest))
            if is_due:
                said: Any = self._client.mget(CLOSED_BY_WRITERS)
                closed = frozenset[Bucket]().union(*map(decode_buckets, said))
                grid = self._grid(self._newest, max(now_ms, self._newest.id), closed)
                pipe.set(GRID_LATEST, grid)
                publish_public(pipe, "grid", grid, now_ms)
        if is_due:
            pipe.set(FEED_ALIVE, now_ms, ex=ALIVE_TTL_S)
            if self._sources is not None:
                pipe.set(FEED_SOURCES, self._sources.encode(), ex=ALIVE_TTL_S)
        pipe.execute()

    def _grid_is_due(self) -> bool:
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._grid_due_ms:
            return False
        # On schedule four times a second; after a pause the missed ones are not made up for.
        self._grid_due_ms = max(self._grid_due_ms + GRID_EVERY_MS, now_ms)
        return True

    def run(self) -> None:
        """Publish until stopped."""
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._pending or self._stopping, self._idle_s())
                if self._stopping and (self._failing or not self._pending):
                    return
            self.run_once()
            if self._failing:
                with self._wake:
                    self._wake.wait_for(lambda: self._stopping, PAUSE_AFTER_FAILURE_S)

    def _idle_s(self) -> float:
        return max(0, self._grid_due_ms - self._clock.monotonic_ms()) / 1000


def _newest_of(waiting: list[tuple[Tick, Touched | None]]) -> list[tuple[Tick, Touched | None]]:
    """Return the newest tick with the newest range, which includes the ranges before it in its column."""
    ranges = [touched for _, touched in waiting if touched]
    return [(tick, ranges[-1] if ranges else None) for tick, _ in waiting[-1:]]
