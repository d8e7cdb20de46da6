"""The newest prices and the newest grid: readers who know the same get the same bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runtime.stream.sse import BRIEF, CHANGE
from runtime.stream.subscriber import Item, Subscriber

NEWEST_ONLY = ("price", "grid")
PRICES_KEPT = 10
"""Prices that a reader gets of those it was not told of: the last second. Thousands of readers are served a few times a
second, and each shall have every price; who is behind for longer has missed the older ones."""
CHANGES_MAX = 20
"""Grids that are told by their differences, one after the other, before a whole one comes again: five seconds."""


class Newest:
    """Used under the hub's lock."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._prices: deque[Item] = deque(maxlen=PRICES_KEPT)
        self._brief: deque[Item] = deque(maxlen=PRICES_KEPT)
        self._grid: Item | None = None
        self._changes: list[Item] = []
        self._whole_sequence = 0
        """The whole grid that the changes follow."""
        self._sequence = 0
        self._oldest = (0, 0)
        self._chunks: dict[tuple[int, frozenset[str]], bytes] = {}
        """What readers get who were told up to a sequence and want the same, for those since the last event."""
        for item in sorted(items, key=_sequence_of):
            self.put(item)

    def put(self, item: Item, other: Item | None = None) -> None:
        """Add a price, or let a grid take the place of the last one.

        `other` tells the price in brief, the grid to who has that last one.
        """
        if item.kind != "grid":
            self._prices.append(item)
            self._brief.append(item if other is None else other)
        else:
            if other is not None and len(self._changes) < CHANGES_MAX:
                self._changes.append(other)
            else:
                self._changes, self._whole_sequence = [], item.sequence
            self._grid = item
        self._sequence = item.sequence
        kept = [*self._prices] if self._grid is None else [*self._prices, self._grid]
        self._oldest = min(each.public for each in kept if each.public is not None)
        self._chunks.clear()

    def data(self, kind: str) -> bytes | None:
        """Return the newest of a kind."""
        item = self._grid if kind == "grid" else self._prices[-1] if self._prices else None
        return None if item is None else item.data

    def has_unsent(self, subscriber: Subscriber) -> bool:
        """Tell whether there is one that the reader wants and was not told of."""
        return subscriber.sequence < self._sequence and bool(self.chunk(subscriber))

    def due(self, subscriber: Subscriber) -> list[Item]:
        """Return those that the reader was not told of."""
        prices = self._brief if BRIEF in subscriber.wants else self._prices
        due = [*prices] if "price" in subscriber.wants else []
        if self._grid is not None and "grid" in subscriber.wants:
            due += self._changes if self._follows(subscriber) else [self._grid]
        return [item for item in due if item.sequence > subscriber.sequence and subscriber.fits(item)]

    def _follows(self, subscriber: Subscriber) -> bool:
        """Tell whether the reader was told all that the changes go out from, and wants them."""
        if subscriber.sequence < self._whole_sequence or CHANGE not in subscriber.wants:
            return False
        return subscriber.after_public < self._oldest

    def chunk(self, subscriber: Subscriber) -> bytes:
        """Write what is due to a reader for whom nothing else waits; the same object for all who get the same."""
        if subscriber.after_public >= self._oldest:
            # It was told of some of them elsewhere, before it came here.
            return in_order(self.due(subscriber))
        key = subscriber.sequence, subscriber.wants
        found = self._chunks.get(key)
        if found is None:
            found = self._chunks[key] = in_order(self.due(subscriber))
        return found


def in_order(items: list[Item]) -> bytes:
    """Write events as they followed each other."""
    return b"".join([item.frame for item in sorted(items, key=_sequence_of)])


def _sequence_of(item: Item) -> int:
    return item.sequence
