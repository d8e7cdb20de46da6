"""The breaker's check, each second: look at the newest tick, decide, and tell everybody what changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import msgspec

from runtime.clock import Clock, SystemClock
from runtime.game.breaker import Breaker, Override, decide, overridden
from runtime.messaging.bus import publish_public
from runtime.messaging.commands import NoteOverride
from runtime.messaging.connection import Redis, connect
from runtime.messaging.queues import new_id, send_commands
from runtime.messaging.redis_keys import BREAKER, FEED_SOURCES, TICK_LATEST
from runtime.messaging.redis_values import (
    FeedSources,
    OverrideNote,
    decode_breaker,
    decode_override_note,
    decode_tick,
    encode_breaker,
)
from runtime.settings import load

logger = logging.getLogger(__name__)

ORIGIN = "breaker"


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

    before, after, note = _change(client, look, now_ms)
    if note:
        _log_override(after.override, note)
    if after.override is not before.override:
        logger.warning("breaker override %s has ended", before.override)
    if after.state is not before.state:
        logger.warning("breaker %s, was %s; newest tick %s ms old", after.state, before.state, age_ms)
    return after


def set_override(
    client: Redis, override: Override, who: str, why: str, clock: Clock, *, for_ms: int | None = None
) -> Breaker:
    """Let an operator force the breaker open or closed, for a time or not, or hand it back.

    It is queued for the database before it counts, so that none counts that is not kept. The next check logs it.
    """
    now_ms = clock.now_ms()
    until_ms = overridden(Breaker(), override, for_ms, now_ms).override_until_ms
    kept = NoteOverride(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms,
        override=override.value,
        who=who,
        why=why,
        set_ms=now_ms,
        until_ms=until_ms,
    )
    send_commands(client, [kept], ORIGIN, now_ms)
    note = OverrideNote(who, why, now_ms)
    return _change(client, lambda breaker, _: (overridden(breaker, override, for_ms, now_ms), note), now_ms)[1]


def read_breaker(client: Redis) -> tuple[Breaker, OverrideNote | None]:
    """Return the stored breaker and the note on its override."""
    stored: Any = client.get(BREAKER)
    return decode_breaker(stored), decode_override_note(stored)


Change = Callable[[Breaker, OverrideNote | None], tuple[Breaker, OverrideNote | None]]


def _change(client: Redis, change: Change, now_ms: int) -> tuple[Breaker, Breaker, OverrideNote | None]:
    """Read, change and write the breaker as one step, so that a check and an operator never undo one another.

    Return it before and after, and the note.
    """
    outcome: list[tuple[Breaker, Breaker, OverrideNote | None]] = []

    def attempt(pipe: Any) -> None:
        stored = pipe.get(BREAKER)
        before, note = decode_breaker(stored), decode_override_note(stored)
        after, note = change(before, note)
        outcome[:] = [(before, after, note)]
        pipe.multi()
        pipe.set(BREAKER, encode_breaker(after, note))
        if _told_of(after) != _told_of(before):
            publish_public(pipe, "status", msgspec.json.encode(after.to_dict()), now_ms)

    client.transaction(attempt, BREAKER)
    return outcome[0]


def _told_of(breaker: Breaker) -> tuple[object, ...]:
    return breaker.state, breaker.override, breaker.override_until_ms


@lru_cache(maxsize=16)
def _log_override(override: Override, note: OverrideNote) -> None:
    """Log an override once in a process: here, where logs are kept, and not in the operator's terminal."""
    logger.warning("breaker override %s by %s at %d: %s", override, note.who, note.set_ms, note.why)


@cache
def _client() -> Redis:
    return connect(load().redis_url)
