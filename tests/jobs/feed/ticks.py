"""Ticks and quotes for the tests of the feed and of settlement."""

from __future__ import annotations

from jobs.feed.quotes import Quote
from runtime.game.ticks import Features, Tick


def tick(ms: int, close: int = 9_400_000, *, low: int | None = None, high: int | None = None) -> Tick:
    """Return a tick at `ms`; low and high are the close unless given."""
    features = Features(volatility=150.5, sample_ms=250, history_ms=600_000)
    low, high = close if low is None else low, close if high is None else high
    return Tick(ms, ms - 20, close, low, high, "replay", features)


def quote(ms: int, cents: int = 9_400_000) -> Quote:
    """Return a price that arrived at `ms`."""
    return Quote(ms, ms - 20, cents)
