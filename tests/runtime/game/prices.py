"""Ticks for tests."""

from __future__ import annotations

from runtime.game.ticks import Features, Tick

FEATURES = Features(volatility=300.0, sample_ms=330, history_ms=3_600_000)


def tick(
    ms: int, close: int, low: int | None = None, high: int | None = None, *, features: Features = FEATURES
) -> Tick:
    """Build a tick whose low and high are its close, unless told otherwise."""
    return Tick(ms, ms, close, close if low is None else low, close if high is None else high, "test", features)
