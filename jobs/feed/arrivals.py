"""What arrived from one exchange, handed from the thread that listens to the one that makes ticks."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from jobs.feed.quotes import Quote

QUOTES_MAX = 10_000
"""More than a second of the busiest venue; they are fetched ten times a second."""
AHEAD_MS_MAX = 1_000
"""A price that arrived later than this after now arrived before the clock stepped back."""


@dataclass(slots=True)
class Arrivals:
    """A bounded queue of quotes, and what is known of those that came and did not come through."""

    prices: int = 0
    last: Quote | None = None
    _waiting: deque[Quote] = field(default_factory=deque)
    _dropped: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, quote: Quote) -> None:
        """Take a quote in; when nobody fetches them, the oldest goes."""
        with self._lock:
            self.prices += 1
            self.last = quote
            self._waiting.append(quote)
            if len(self._waiting) > QUOTES_MAX:
                self._waiting.popleft()
                self._dropped["overflow"] += 1

    def drop(self, reason: str) -> None:
        """Count what is no quote."""
        with self._lock:
            self._dropped[reason] += 1

    def take(self, now_ms: int) -> list[Quote]:
        """Hand over what arrived not after `now_ms`, oldest first."""
        taken = []
        with self._lock:
            while self._waiting:
                ahead_ms = self._waiting[0].arrived_ms - now_ms
                if 0 < ahead_ms <= AHEAD_MS_MAX:
                    break
                quote = self._waiting.popleft()
                if ahead_ms <= 0:
                    taken.append(quote)
                else:
                    self._dropped["clock_step"] += 1
        return taken

    def dropped(self) -> Mapping[str, int]:
        """Return how many were dropped, by reason."""
        with self._lock:
            return dict(self._dropped)
