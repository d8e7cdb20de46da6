"""Volatility: how far the price moves, from every observed price, in time-weighted averages over about a minute."""

from __future__ import annotations

import math

from runtime.game.signals import Signals
from runtime.game.ticks import Features

AVERAGE_S = 60.0
"""Age at which a move counts 1/e of a fresh one."""

GAP_MS_MAX = 10_000
"""A longer silence breaks the series, as it makes a window uncovered."""


class Volatility:
    """Average squared moves per second and the distance between observations, one observation at a time.

    Every pair of neighbours counts, also those that did not move: the average of moves alone would price a calm market
    as a wild one. Each interval counts with the mean weight of its time, so several prices in one millisecond, or a
    second without any, are weighed by the time that they cover, and the first minute is not biased towards zero.

    After a gap the series starts anew, its history too: one leap says next to nothing about the volatility on either
    side of it, and what was measured before the silence describes another market. So no rate is offered in the minute
    after a gap. Nothing outlives a few half-lives: the state is restored by adding the last ticks again.
    """

    def __init__(self) -> None:
        self._first_ms = -1
        self._last_ms = -1
        self._last_cents = 0
        self._squares = 0.0
        self._seconds = 0.0
        self._intervals = 0.0
        self._signals = Signals()

    @property
    def newest_ms(self) -> int:
        """When the newest price was observed; negative before the first."""
        return self._last_ms

    def add(self, ms: int, price_cents: int) -> None:
        """Take in a price observed at `ms`; one that is out of order counts at the time of the newest."""
        if self._last_ms < 0 or ms - self._last_ms > GAP_MS_MAX:
            self._first_ms = ms
            self._squares = self._seconds = self._intervals = 0.0
        else:
            ms = max(ms, self._last_ms)
            self._age(ms - self._last_ms, price_cents - self._last_cents)
        self._last_ms = ms
        self._last_cents = price_cents
        self._signals.add(ms, price_cents)

    def _age(self, passed_ms: int, move_cents: int) -> None:
        passed_s = passed_ms / 1000
        keep = math.exp(-passed_s / AVERAGE_S)
        # Mean of exp(-age / AVERAGE_S) over the interval that just ended.
        weight = (1.0 - keep) * AVERAGE_S / passed_s if passed_ms else 1.0
        self._squares = self._squares * keep + weight * move_cents * move_cents
        self._seconds = self._seconds * keep + weight * passed_s
        self._intervals = self._intervals * keep + weight

    def features(self) -> Features:
        """Return the model's inputs as of the newest price; zeros while there is no interval to tell of."""
        if self._seconds <= 0.0:
            return Features(volatility=0.0, sample_ms=0, history_ms=0)
        return Features(
            volatility=math.sqrt(self._squares / self._seconds),
            sample_ms=max(1, round(1000 * self._seconds / self._intervals)),
            history_ms=self._last_ms - self._first_ms,
            signals=self._signals.values(),
        )
