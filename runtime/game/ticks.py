"""A tick: what the price did in one publishing interval, and what the rate model needs of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """The model's inputs, computed by the feed only, so that every reader prices alike."""

    volatility: float
    """Cents per square root of a second (EWMA)."""
    sample_ms: int
    """Mean distance between observed prices, for the correction of discrete sampling."""
    history_ms: int
    """How long the series behind `volatility` is; below 60,000 no rate is offered."""
    signals: tuple[float, ...] = ()
    """What the mixture model prices by, in the order of runtime.game.signals.NAMES."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One published price: close, low and high of an interval that never straddles a column's edge."""

    id: int
    """Unix milliseconds of the arrival of the interval's last price; strictly increasing."""
    exchange_ms: int
    close: int
    low: int
    high: int
    sources: str
    """Names of the sources behind the price, comma-joined."""
    features: Features
