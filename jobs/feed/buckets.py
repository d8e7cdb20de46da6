"""Publishing intervals of 100 ms: many prices in, one bar of close, low and high out."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.feed.quotes import Quote

INTERVAL_MS = 100
"""Aligned to Unix time. Columns are whole seconds, so no interval straddles a column's edge."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The prices of one interval; `id` is the arrival of the last of them."""

    id: int
    exchange_ms: int
    close: int
    low: int
    high: int

    def joined(self, quote: Quote) -> Bar:
        """Return the bar with one more price."""
        low, high = min(self.low, quote.cents), max(self.high, quote.cents)
        return Bar(quote.arrived_ms, quote.exchange_ms, quote.cents, low, high)


class Buckets:
    """Gather prices by interval; ids rise strictly, because an interval that was given out is never opened again."""

    def __init__(self, last_id: int) -> None:
        self._closed_until_ms = _interval_end(last_id)
        self._open: Bar | None = None

    def add(self, quote: Quote) -> Bar | None:
        """Take a price in; return the bar before it if the price begins a new interval.

        A price that is not positive, or comes for an interval that was closed, is dropped.
        """
        last_ms = self._open.id if self._open else self._closed_until_ms
        if quote.cents <= 0 or quote.arrived_ms < last_ms:
            return None
        finished = self.close(quote.arrived_ms)
        if self._open:
            self._open = self._open.joined(quote)
        else:
            self._open = Bar(quote.arrived_ms, quote.exchange_ms, quote.cents, quote.cents, quote.cents)
        return finished

    def close(self, now_ms: int) -> Bar | None:
        """Return the open bar if its interval is over at `now_ms`."""
        bar = self._open
        if bar is None or now_ms < _interval_end(bar.id):
            return None
        self._open = None
        self._closed_until_ms = _interval_end(bar.id)
        return bar


def _interval_end(ms: int) -> int:
    return ms - ms % INTERVAL_MS + INTERVAL_MS
