"""What a feed says of its sources, for tests of those that read it."""

from __future__ import annotations

from runtime.messaging.redis_values import FeedSources, SourceSeen


def source(name: str, at_ms: int, *, counted: bool = True, fresh: bool = True) -> SourceSeen:
    """Return a source whose newest price is 40 ms old, or a minute."""
    return SourceSeen(
        name=name,
        state="live" if fresh else "waiting",
        fresh=fresh,
        counted=counted and fresh,
        last_price_ms=at_ms - (40 if fresh else 60_000),
        last_price_cents=9_375_012,
        prices=1_234,
        dropped={"outlier": 3, "zero": 1},
        reconnects=2,
        offset_ppm=854 if fresh else None,
        last_error="" if fresh else "ConnectionRefusedError",
    )


def feed_sources(at_ms: int, **counted: bool) -> FeedSources:
    """Return what a feed of these sources says; those that do not count are not fresh."""
    found = tuple(source(name, at_ms, counted=counts, fresh=counts) for name, counts in counted.items())
    return FeedSources(at_ms=at_ms, needed=min(2, len(found)), sources=found)
