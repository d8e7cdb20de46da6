"""The feed's work: prices in, ticks stored, and only then handed over for publication."""

from __future__ import annotations

import logging
from collections.abc import Callable

from jobs.feed.buckets import INTERVAL_MS, Bar, Buckets
from jobs.feed.quotes import Source
from runtime.game.ticks import Tick
from runtime.game.volatility import Volatility
from runtime.storage import ticks_store
from runtime.storage.database import Database, DatabaseError

logger = logging.getLogger(__name__)

LATE_MS = 1_000
"""A price is dropped when it is taken in later than this after its arrival: the process slept, and missed it."""
TRIM_EVERY_MS = 10_000
TRIM_TICKS = 200
"""Twice what ten seconds can bring, so that the store shrinks to seven days even from more, in steps of a few ms."""


class Feed:
    """Turn a source's prices into ticks."""

    def __init__(
        self,
        source: Source,
        buckets: Buckets,
        volatility: Volatility,
        database: Database,
        offer: Callable[[Tick], None],
    ) -> None:
        self._source = source
        self._buckets = buckets
        self._volatility = volatility
        self._database = database
        self._offer = offer
        self._trim_due_ms = 0

    def run_once(self, now_ms: int) -> None:
        """Take in what has arrived, and store and hand over each interval that is over."""
        for quote in self._source.poll(now_ms):
            if quote.arrived_ms < now_ms - LATE_MS:
                continue
            bar = self._buckets.add(quote)
            if bar:
                self._finish(bar)
        bar = self._buckets.close(now_ms)
        if bar:
            self._finish(bar)
        if now_ms >= self._trim_due_ms:
            self._trim(now_ms)

    def _finish(self, bar: Bar) -> None:
        self._volatility.add(bar.id, bar.close)
        features = self._volatility.features()
        tick = Tick(bar.id, bar.exchange_ms, bar.close, bar.low, bar.high, self._source.name, features)
        try:
            ticks_store.append(self._database, tick)
        except DatabaseError:
            # What is not stored cannot be settled, so nobody may see it. The breaker notices if this goes on.
            logger.exception("cannot store tick %d, dropped", tick.id)
        else:
            self._offer(tick)

    def _trim(self, now_ms: int) -> None:
        self._trim_due_ms = now_ms + TRIM_EVERY_MS
        try:
            ticks_store.trim(self._database, now_ms - ticks_store.KEEP_MS, TRIM_TICKS)
        except DatabaseError:
            logger.exception("cannot trim old ticks")


def until_interval_ends_ms(now_ms: int) -> int:
    """Return how long to wait from `now_ms` until the running interval is over."""
    return INTERVAL_MS - now_ms % INTERVAL_MS
