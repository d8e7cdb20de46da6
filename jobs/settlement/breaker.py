"""The breaker's check, each second: look at the newest tick, decide, and tell everybody what changed."""

from __future__ import annotations

import logging
from functools import cache, lru_cache
from typing import Any

from runtime.clock import Clock, SystemClock
from runtime.game.breaker import Breaker, Override, decide
from runtime.market.breaker import change_breaker
from runtime.messaging.connection import Redis, connect
from runtime.messaging.queues import SETTLE
from runtime.messaging.redis_keys import FEED_SOURCES, TICK_LATEST
from runtime.messaging.redis_values import FeedSources, OverrideNote, decode_tick
from runtime.settings import load
from runtime.triggers import every

logger = logging.getLogger(__name__)


@every("1 s", name="check-breaker", queue=SETTLE, timeout_s=10, overdue_s=60)
def check_breaker() -> str:
    """Decide the breaker's state from the newest tick; return it. An RQ job."""
    return check(_client(), SystemClock()).state


def check(client: Redis, clock: Clock) -> Breaker:
    """Decide, store the decision, and publish `status` if the state changed."""
    found: Any = client.mget(TICK_LATEST, FEED_SOURCES)
    latest, sources = found
    too_few = sources is not None and FeedSources.decode(sources).too_few
    now_ms = clock.now_ms()
    # Ahead of the clock is as far from now as behind it: after a step back no tick comes until the clock caught up.
    age_ms = None if latest is None else abs(now_ms - decode_tick(latest).id)

    def look(breaker: Breaker, note: OverrideNote | None) -> tuple[Breaker, OverrideNote | None]:
        decided = decide(breaker, age_ms, now_ms, too_few_sources=too_few)
        return decided, note if decided.override is breaker.override else None

    before, after, note = change_breaker(client, look, now_ms)
    if note:
        _log_override(after.override, note)
    if after.override is not before.override:
        logger.warning("breaker override %s has ended", before.override)
    if after.state is not before.state:
        logger.warning("breaker %s, was %s; newest tick %s ms old", after.state, before.state, age_ms)
    return after


@lru_cache(maxsize=16)
def _log_override(override: Override, note: OverrideNote) -> None:
    """Log an override once in a process: here, where logs are kept, and not in the operator's terminal."""
    logger.warning("breaker override %s by %s at %d: %s", override, note.who, note.set_ms, note.why)


@cache
def _client() -> Redis:
    return connect(load().redis_url)
