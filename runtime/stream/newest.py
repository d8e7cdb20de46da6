"""The newest price and grid: a reader is told the last only, and readers who know the same get the same bytes."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.stream.subscriber import Item, Subscriber

NEWEST_ONLY = ("price", "grid")


class Newest:
    """Used under the hub's lock."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items = {item.kind: item for item in items}
        self._sequence = max((item.sequence for item in self._items.values()), default=0)
        self._together = b""
        """All of them as one chunk, once it was asked for."""

    def put(self, item: Item) -> None:
        """Let an event take the place of the last of its kind."""
        self._items[item.kind] = item
        self._sequence, self._together = item.sequence, b""

    def data(self, kind: str) -> bytes | None:
        """Return the newest of a kind."""
        item = self._items.get(kind)
        return None if item is None else item.data

    def has_unsent(self, subscriber: Subscriber) -> bool:
        """Tell whether there is one that the reader wants and was not told of."""
        if subscriber.sequence >= self._sequence:
            return False
        return any(
            item.sequence > subscriber.sequence and kind in subscriber.wants for kind, item in self._items.items()
        )

    def due(self, subscriber: Subscriber) -> list[Item]:
        """Return those that the reader was not told of."""
        return [
            item
            for kind, item in self._items.items()
            if item.sequence > subscriber.sequence and kind in subscriber.wants and subscriber.fits(item)
        ]

    def chunk(self, due: list[Item]) -> bytes:
        """Write what is due to a reader for whom nothing else waits; the same object for all who get the same."""
        if len(due) < len(NEWEST_ONLY):
            return due[0].frame if due else b""
        self._together = self._together or in_order(due)
        return self._together


def in_order(items: list[Item]) -> bytes:
    """Write events as they followed each other."""
    return b"".join([item.frame for item in sorted(items, key=_sequence_of)])


def _sequence_of(item: Item) -> int:
    return item.sequence
