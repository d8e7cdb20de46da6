"""Simulated prices: a seeded random walk, the same for the same seed."""

from __future__ import annotations

import math
from random import Random

from jobs.feed.quotes import BACKLOG_MS_MAX, Quote

START_CENTS = 9_400_000
STEP_MS_MEAN = 200
STEP_MS_SPREAD = 120
VOLATILITY_CENTS = 200.0
"""Cents per square root of a second: an ordinary hour of BTC/USD."""


class Sim:
    """Walk from START_CENTS, about five steps a second."""

    name = "sim"

    def __init__(self, seed: int, start_ms: int) -> None:
        self._random = Random(seed)  # noqa: S311  # a price model, not a secret
        self._cents = START_CENTS
        self._last_ms = start_ms
        self._next_ms = start_ms + self._step_ms()

    def poll(self, now_ms: int) -> list[Quote]:
        """Return the prices due since the last call and not after `now_ms`."""
        if now_ms - self._next_ms > BACKLOG_MS_MAX:
            self._last_ms = self._next_ms = now_ms - BACKLOG_MS_MAX
        quotes = []
        while self._next_ms <= now_ms:
            seconds = (self._next_ms - self._last_ms) / 1000
            move = self._random.gauss(0.0, VOLATILITY_CENTS * math.sqrt(seconds))
            self._cents = max(1, self._cents + round(move))
            quotes.append(Quote(self._next_ms, self._next_ms, self._cents))
            self._last_ms = self._next_ms
            self._next_ms += self._step_ms()
        return quotes

    def rebase(self, cents: int) -> None:
        """Let the walk go on from `cents`."""
        self._cents = cents

    def _step_ms(self) -> int:
        return STEP_MS_MEAN + self._random.randint(-STEP_MS_SPREAD, STEP_MS_SPREAD)
