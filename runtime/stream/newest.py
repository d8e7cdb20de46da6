"""The newest prices and grid: who keeps up is told every price, who does not the last; the same bytes for all alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runtime.stream.subscriber import Item, Subscriber

NEWEST_ONLY = ("price", "grid")
PRICES_KEPT = 10
"""A second of prices: a round to all readers takes less, and leaves out none."""
_Key = tuple[int, tuple[int, int], frozenset[str]]


class Newest:
    """Used under the hub's lock."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.sequence = 0
        """The sequence of the newest of all."""
        self._kept: dict[str, deque[Item]] = {kind: deque(maxlen=1) for kind in NEWEST_ONLY}
        self._kept["price"] = deque(maxlen=PRICES_KEPT)
        self._oldest_public = (0, 0)
        self._newest_for: dict[frozenset[str], int] = {}
        """By what a reader wants, the sequence of the newest that it is told, once it was asked for."""
        self._chunks: dict[_Key, bytes] = {}
        """By what readers want and know, what is due to them."""
        for item in items:
            self.put(item)

    def put(self, item: Item) -> None:
        """Take a newer event of its kind."""
        self._kept[item.kind].append(item)
        self.sequence = item.sequence
        self._oldest_public = min(kept[0].public or (0, 0) for kept in self._kept.values() if kept)
        self._newest_for.clear()
        self._chunks.clear()

    def data(self, kind: str) -> bytes | None:
        """Return the newest of a kind."""
        kept = self._kept[kind]
        return kept[-1].data if kept else None

    def has_unsent(self, subscriber: Subscriber) -> bool:
        """Tell whether there is one that the reader wants and was not told of."""
        if subscriber.sequence >= self.sequence:
            return False
        wants = subscriber.wants
        if wants not in self._newest_for:
            newest = (kept[-1].sequence for kind, kept in self._kept.items() if kept and kind in wants)
            self._newest_for[wants] = max(newest, default=0)
        return self._newest_for[wants] > subscriber.sequence

    def due(self, subscriber: Subscriber, *, each: bool) -> list[Item]:
        """Return those that the reader was not told of: each price that is kept, or of all kinds the last only."""
        return [
            item
            for kind, kept in self._kept.items()
            if kind in subscriber.wants
            for item in (kept if each else list(kept)[-1:])
            if item.sequence > subscriber.sequence and subscriber.fits(item)
        ]

    def chunk(self, subscriber: Subscriber) -> bytes:
        """Write each that is due to a reader for whom nothing else waits; the same object for all who get the same."""
        after = subscriber.after_public
        # How far a reader was told before its stream matters only to one who joined a moment ago.
        key = (subscriber.sequence, after if after >= self._oldest_public else (0, 0), subscriber.wants)
        chunk = self._chunks.get(key)
        if chunk is None:
            chunk = self._chunks[key] = in_order(self.due(subscriber, each=True))
        return chunk


def in_order(items: list[Item]) -> bytes:
    """Write events as they followed each other."""
    return b"".join([item.frame for item in sorted(items, key=_sequence_of)])


def _sequence_of(item: Item) -> int:
    return item.sequence
