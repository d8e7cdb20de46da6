"""The sources of prices as an operator sees them, and why one does not count."""

from __future__ import annotations

from typing import Literal

import msgspec

from runtime.messaging.redis_values import FeedSources, SourceSeen

Counts = Literal["yes", "it differs", "not fresh", "not known yet"]


class SourceView(msgspec.Struct, frozen=True):
    """How one source of prices does."""

    name: str
    state: str
    counts: Counts
    """Whether its price is among those that make a tick, or why it is not."""
    price_cents: int | None
    age_ms: int | None
    offset_ppm: int | None
    prices: int
    dropped: dict[str, int]
    reconnects: int
    last_error: str


class FeedView(msgspec.Struct, frozen=True):
    """The feed: its newest tick, and its sources; none while it says nothing."""

    kind: str
    """Where prices come from."""
    tick_age_ms: int | None
    needed: int
    """Sources that must agree on a price."""
    counted: int
    """Sources that agree now."""
    sources: list[SourceView]


def counts(source: SourceSeen) -> Counts:
    """Say whether a source's price counts, or why it does not."""
    if source.fresh and source.offset_ppm is None:
        return "not known yet"
    if source.counted:
        return "yes"
    return "it differs" if source.fresh else "not fresh"


def feed_view(kind: str, sources: FeedSources | None, tick_age_ms: int | None, now_ms: int) -> FeedView:
    """Return what the feed has said of itself lately."""
    if sources is None:
        return FeedView(kind, tick_age_ms, 0, 0, [])
    return FeedView(
        kind=kind,
        tick_age_ms=tick_age_ms,
        needed=sources.needed,
        counted=sources.counted,
        sources=[_view(one, now_ms) for one in sources.sources],
    )


def _view(one: SourceSeen, now_ms: int) -> SourceView:
    return SourceView(
        name=one.name,
        state=one.state,
        counts=counts(one),
        price_cents=one.last_price_cents,
        age_ms=one.age_ms(now_ms),
        offset_ppm=one.offset_ppm,
        prices=one.prices,
        dropped=one.dropped,
        reconnects=one.reconnects,
        last_error=one.last_error,
    )
