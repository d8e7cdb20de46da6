"""The circuit breaker: no bets and no results on prices that may no longer be true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

FRESH_MS_MAX = 3_000
"""A newest tick of at most this age is fresh."""

CRITICAL_MS_MIN = 10_000
"""A newest tick older than this stops the bets."""

RECOVERY_MS = 30_000
"""Fresh ticks must have come this long, without a break, before a CRITICAL breaker trusts them."""


CLOSED_MS = 1_800_000
"""How long an operator's `closed` lasts unless they say otherwise: nobody may forget it."""

OVERRIDE_MS_MAX = 7 * 24 * 3_600_000
"""How long an override may last that has an end."""


class State(StrEnum):
    """What the age of the newest tick says, now and in the last half minute."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    """The tick is late: warn, go on."""
    CRITICAL = "CRITICAL"
    """Prices are stale, or came back less than the recovery time ago: refuse bets, delay results."""


class Override(StrEnum):
    """What the operator says about bets; settlement goes by the ticks whatever is said."""

    AUTO = "auto"
    OPEN = "open"
    """Refuse all bets."""
    CLOSED = "closed"
    """Take bets whatever the state; each is still filled on a fresh tick only."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """State of the breaker; without history it refuses bets until the first fresh tick, and takes them from there."""

    state: State = State.CRITICAL
    since_ms: int | None = None
    """When the state was entered; None before the first fresh tick: there is no history."""
    fresh_since_ms: int | None = None
    """Since when ticks have been fresh without a break; None while they are not."""
    override: Override = Override.AUTO
    override_until_ms: int | None = None
    """From when on the override counts no more; None: until it is taken back."""

    def to_dict(self) -> dict[str, str | int | None]:
        """Return the breaker as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Breaker:
        """Read what `to_dict` wrote; raise ValueError or KeyError where it did not."""
        return cls(
            state=State(values["state"]),
            since_ms=_whole_or_none(values["since_ms"]),
            fresh_since_ms=_whole_or_none(values["fresh_since_ms"]),
            override=Override(values["override"]),
            override_until_ms=_whole_or_none(values.get("override_until_ms")),
        )


def overridden(breaker: Breaker, override: Override, for_ms: int | None, now_ms: int) -> Breaker:
    """Return the breaker under an operator's word; `closed` always ends, and `auto` has nothing to end."""
    if override is Override.CLOSED and for_ms is None:
        for_ms = CLOSED_MS
    until_ms = None if for_ms is None or override is Override.AUTO else now_ms + min(for_ms, OVERRIDE_MS_MAX)
    return replace(breaker, override=override, override_until_ms=until_ms)


def as_of(breaker: Breaker, now_ms: int) -> Breaker:
    """Return the breaker as it counts at a moment: without an override that has ended by then."""
    if breaker.override_until_ms is None or now_ms < breaker.override_until_ms:
        return breaker
    return replace(breaker, override=Override.AUTO, override_until_ms=None)


def decide(breaker: Breaker, tick_age_ms: int | None, now_ms: int, *, too_few_sources: bool = False) -> Breaker:
    """Return the breaker after a look at the newest tick's age; None means that there is no tick at all.

    While of several sources too few agree, even a young tick is not fresh: no other will follow it.
    An override that has ended is taken back.
    A clock that stepped back makes the age negative (fresh) and cannot shorten a recovery: the time since which ticks
    are fresh moves back with the clock.
    """
    fresh = tick_age_ms is not None and tick_age_ms <= FRESH_MS_MAX and not too_few_sources
    fresh_since_ms = None
    if fresh:
        fresh_since_ms = now_ms if breaker.fresh_since_ms is None else min(breaker.fresh_since_ms, now_ms)
    state = _next_state(breaker, tick_age_ms, fresh_since_ms, now_ms)
    since_ms = breaker.since_ms if state is breaker.state else now_ms
    return replace(as_of(breaker, now_ms), state=state, since_ms=since_ms, fresh_since_ms=fresh_since_ms)


def refuses_bets(breaker: Breaker) -> bool:
    """Tell whether a bet is refused now."""
    if breaker.override is not Override.AUTO:
        return breaker.override is Override.OPEN
    return breaker.state is State.CRITICAL


def delays_settlement(breaker: Breaker) -> bool:
    """Tell whether won and lost wait; voids never do, and an override never counts."""
    return breaker.state is State.CRITICAL


def _next_state(breaker: Breaker, tick_age_ms: int | None, fresh_since_ms: int | None, now_ms: int) -> State:
    if tick_age_ms is None or tick_age_ms > CRITICAL_MS_MIN:
        return State.CRITICAL
    if breaker.state is State.CRITICAL:
        no_history = breaker.since_ms is None
        recovered = fresh_since_ms is not None and (no_history or now_ms - fresh_since_ms >= RECOVERY_MS)
        return State.HEALTHY if recovered else State.CRITICAL
    return State.HEALTHY if fresh_since_ms is not None else State.DEGRADED


def _whole_or_none(value: object) -> int | None:
    if value is None or type(value) is int:
        return value
    raise ValueError(f"{value!r} is not a whole number of milliseconds")
