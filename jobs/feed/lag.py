"""Prices that come late although they just arrived: what a full buffer held back is not the price of now."""

from __future__ import annotations

from jobs.feed.quotes import Quote

LATE_MS = 2_000
"""A price is late when it took so much longer than the quickest of the last minutes. An exchange's clock may be wrong
by any amount, so only the difference tells."""
SPAN_MS = 300_000


class Lag:
    """Know the quickest way of a source's prices lately; five to ten minutes count."""

    def __init__(self) -> None:
        self._began_ms: int | None = None
        self._least_ms = 0
        self._least_before_ms: int | None = None

    def is_late(self, quote: Quote) -> bool:
        """Take a price in and tell whether it is late."""
        lag_ms = quote.arrived_ms - quote.exchange_ms
        if lag_ms == 0:  # without a time of the exchange's own: Binance's bids and asks have none
            return False
        if self._began_ms is None:
            self._began_ms, self._least_ms = quote.arrived_ms, lag_ms
        elif not 0 <= quote.arrived_ms - self._began_ms < SPAN_MS:
            self._began_ms, self._least_ms, self._least_before_ms = quote.arrived_ms, lag_ms, self._least_ms
        else:
            self._least_ms = min(self._least_ms, lag_ms)
        least_ms = self._least_ms if self._least_before_ms is None else min(self._least_ms, self._least_before_ms)
        return lag_ms > least_ms + LATE_MS
