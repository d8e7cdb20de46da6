"""What of one connection's prices counts: in order, once, while the market is open, the middle before trades."""

from __future__ import annotations

from jobs.feed.exchanges.frames import Price

QUOTES_SILENT_MS = 3_000
"""A connection that brought no bid and ask for so long is followed by its trades."""
SPARE = "spare"
"""A trade beside bids and asks: nothing is wrong with it."""


class Sieve:
    """Judge each price of a connection; the next connection has a sieve of its own, since counters may begin anew."""

    def __init__(self, now_ms: int) -> None:
        """All times are of the monotonic clock."""
        self.is_open = True
        self._quoted_ms = now_ms
        self._last: dict[str, Price] = {}

    def reason_against(self, price: Price, now_ms: int) -> str:
        """Return why a price is left out, empty if it counts."""
        last = self._last.get(price.kind)
        if last is not None and price.order is not None and last.order is not None:
            if price.order < last.order:
                return "out_of_order"
            # A time may be that of two prices, a number is not.
            if price.order == last.order and price.cents == last.cents:
                return "repeat"
        self._last[price.kind] = price
        if not self.is_open:
            return "market_closed"
        if price.kind == "quote":
            self._quoted_ms = now_ms
        elif now_ms - self._quoted_ms < QUOTES_SILENT_MS:
            return SPARE
        return ""
