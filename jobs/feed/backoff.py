"""Pauses between attempts to connect: doubled up to a cap, and drawn at random so that clients come in no herd."""

from __future__ import annotations

from collections.abc import Callable

PAUSE_S_FIRST = 0.5
PAUSE_S_MAX = 30.0
CALM_MS = 30_000
"""A connection whose prices came for so long did well."""
_DOUBLINGS_MAX = 16


class Backoff:
    """How long to wait before each attempt; the first one after a connection that did well is made at once."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        """`uniform` draws a number between two."""
        self._uniform = uniform
        self._ends = 0

    def pause_s(self, priced_ms: int) -> float:
        """Return the pause after a connection, or an attempt, whose prices came for `priced_ms`."""
        self._ends = 1 if priced_ms >= CALM_MS else self._ends + 1
        if self._ends == 1:
            return 0.0
        longest_s = PAUSE_S_FIRST * 2 ** min(self._ends - 2, _DOUBLINGS_MAX)
        return self._uniform(0.0, min(longest_s, PAUSE_S_MAX))
