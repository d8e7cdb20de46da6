"""The breaker's check, each second: look at the newest tick, decide, and tell everybody what changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from runtime.bus import publish_public
from runtime.clock import Clock, SystemClock
from runtime.game.breaker import Breaker, Override, decide
from runtime.redis_client import Client, connect
from runtime.redis_keys import BREAKER, TICK_LATEST
from runtime.settings import load
from runtime.wire import decode_tick

logger = logging.getLogger(__name__)

Notes = dict[str, str | int]
"""Who set the override, why and when; kept beside the breaker, told to operators only."""


def check_breaker() -> str:
    """Decide the breaker's state from the newest tick; return it. An RQ job."""
    return check(_client(), SystemClock()).state


def check(client: Client, clock: Clock) -> Breaker:
    """Decide, store the decision, and publish `status` if state or override changed."""
    latest: Any = client.get(TICK_LATEST)
    now_ms = clock.now_ms()
    # Ahead of the clock is as far from now as behind it: after a step back no tick comes until the clock caught up.
    age_ms = None if latest is None else abs(now_ms - decode_tick(latest).id)
    before, after = _change(client, lambda breaker: decide(breaker, age_ms, now_ms), {}, now_ms)
    if after.state is not before.state:
        logger.warning("breaker %s, was %s; newest tick %s ms old", after.state, before.state, age_ms)
    return after


def set_override(client: Client, override: Override, who: str, why: str, clock: Clock) -> Breaker:
    """Let an operator force the breaker open or closed, or hand it back; logged with who and why."""
    now_ms = clock.now_ms()
    notes: Notes = {"override_who": who, "override_why": why, "override_ms": now_ms}
    before, after = _change(client, lambda breaker: _overridden(breaker, override), notes, now_ms)
    logger.warning("breaker override %s, was %s, by %s: %s", after.override, before.override, who, why)
    return after


def read_breaker(client: Client) -> tuple[Breaker, Notes]:
    """Return the stored breaker and the notes on its override."""
    stored: Any = client.get(BREAKER)
    return _read(stored)


def _overridden(breaker: Breaker, override: Override) -> Breaker:
    return Breaker(breaker.state, breaker.since_ms, breaker.fresh_since_ms, override)


def _change(client: Client, change: Callable[[Breaker], Breaker], notes: Notes, now_ms: int) -> tuple[Breaker, Breaker]:
    """Read, change and write the breaker as one step, so that a check and an operator never undo one another."""
    outcome: list[Breaker] = []

    def attempt(pipe: Any) -> None:
        before, kept = _read(pipe.get(BREAKER))
        after = change(before)
        outcome[:] = [before, after]
        pipe.multi()
        pipe.set(BREAKER, msgspec.json.encode({**kept, **notes, **after.to_dict()}))
        if (after.state, after.override, after.since_ms) != (before.state, before.override, before.since_ms):
            publish_public(pipe, "status", msgspec.json.encode(after.to_dict()), now_ms)

    client.transaction(attempt, BREAKER)
    before, after = outcome
    return before, after


def _read(stored: bytes | None) -> tuple[Breaker, Notes]:
    if stored is None:
        return Breaker(), {}
    values = msgspec.json.decode(stored)
    return Breaker.from_dict(values), {name: value for name, value in values.items() if name.startswith("override_")}


@cache
def _client() -> Client:
    return connect(load().redis_url)
