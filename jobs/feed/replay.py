"""Recorded prices, re-timed so that they happen now, round after round without a jump."""

from __future__ import annotations

from bisect import bisect_left

from jobs.feed.quotes import BACKLOG_MS_MAX, Quote
from jobs.feed.recording import Recording


class Replay:
    """Deliver a recording's prices; one that is `offset_ms` after its first row arrives at `start_ms`.

    Prices are re-based by a factor, exact in whole cents at the point where they are joined: a factor keeps
    every move's percentage, and unlike a shift can never lead to a price below zero.
    """

    name = "replay"

    def __init__(self, recording: Recording, offset_ms: int, start_ms: int) -> None:
        self._recording = recording
        offset_ms %= recording.round_ms
        self._round_starts_ms = start_ms - offset_ms
        self._next = bisect_left(recording.times_ms, recording.times_ms[0] + offset_ms)
        self._level = self._recorded_level = self._last_cents = recording.cents[max(0, self._next - 1)]
        if self._next == len(recording.times_ms):
            self._begin_round()

    def poll(self, now_ms: int) -> list[Quote]:
        """Return the prices due since the last call and not after `now_ms`."""
        self._skip_missed_rounds(now_ms)
        quotes = []
        while (due_ms := self._due_ms()) <= now_ms:
            recorded = self._recording.cents[self._next]
            self._last_cents = max(1, recorded * self._level // self._recorded_level)
            quotes.append(Quote(due_ms, self._recording.times_ms[self._next], self._last_cents))
            self._next += 1
            if self._next == len(self._recording.times_ms):
                self._begin_round()
        return quotes

    def rebase(self, cents: int) -> None:
        """Let the next price be the next recorded move away from `cents`."""
        self._level = self._last_cents = cents
        self._recorded_level = self._recording.cents[max(0, self._next - 1)]

    def _begin_round(self) -> None:
        """Go back to the first row, whose price becomes the last one delivered."""
        self._next = 0
        self._round_starts_ms += self._recording.round_ms
        self._level, self._recorded_level = self._last_cents, self._recording.cents[0]

    def _due_ms(self) -> int:
        return self._round_starts_ms + self._recording.times_ms[self._next] - self._recording.times_ms[0]

    def _skip_missed_rounds(self, now_ms: int) -> None:
        """Leave out whole rounds of what is too long ago."""
        missed = (now_ms - self._due_ms() - BACKLOG_MS_MAX) // self._recording.round_ms
        if missed > 0:
            self._round_starts_ms += missed * self._recording.round_ms


def offset_after(recording: Recording, exchange_ms: int, elapsed_ms: int) -> int | None:
    """Return the place reached `elapsed_ms` after the price recorded at `exchange_ms`; None for another recording."""
    first_ms, last_ms = recording.times_ms[0], recording.times_ms[-1]
    if not first_ms <= exchange_ms <= last_ms:
        return None
    return exchange_ms - first_ms + max(0, elapsed_ms)
