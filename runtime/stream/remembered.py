"""The public events of the last ten minutes that a reader may ask for again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runtime.messaging.bus import PublicEvent, order
from runtime.messaging.redis_keys import BUS_PUBLIC_KEEP_MS


class Remembered:
    """Status and touched events, oldest first. Used under the hub's lock."""

    def __init__(self, events: Iterable[PublicEvent] = (), after: str = "0-0") -> None:
        """`after` is the public id from which on nothing is missing."""
        self._events = deque(events)
        self._after = after

    def put(self, event: PublicEvent) -> None:
        """Remember one more, and forget what is too old."""
        self._events.append(event)
        oldest_ms = order(event.id)[0] - BUS_PUBLIC_KEEP_MS
        while order(self._events[0].id)[0] < oldest_ms:
            self._after = self._events.popleft().id

    def since(self, public: str) -> tuple[PublicEvent, ...] | None:
        """Return those after a public id; None where some are no longer known."""
        after = order(public)
        if after < order(self._after):
            return None
        missed: list[PublicEvent] = []
        for event in reversed(self._events):
            if order(event.id) <= after:
                break
            missed.append(event)
        return tuple(reversed(missed))
