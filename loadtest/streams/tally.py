"""What reached the readers: events counted by their ids, and the age of prices; no sockets here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from loadtest.bench.recorder import Latencies

HEAD = b"HTTP/1.1 "
EVENT = b"event: "
KIND_AT = len(EVENT)
PLACE_AFTER = len(b"\nid: ")
COMMITTED = frozenset({b"column", b"bet", b"balance"})


KNOWN_MAX = 64
"""Pieces of which it is remembered what is in them: thousands of readers get the same bytes one after the other."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a piece."""

    key: tuple[bytes, bytes]
    """Type and id."""
    published_ms: int | None
    """None for what counts by its commit."""
    octets: int


class NotAStream(Exception):
    """The answer is not a stream; the message is its first line."""


@dataclass(slots=True)
class Tally:
    """Events that all readers received, by type and id; prices also by their age on arrival."""

    from_ms: int = 0
    upto_ms: int = 0
    """Prices and grids of this time count, start included, end not."""
    ages: dict[bytes, Latencies] = field(default_factory=lambda: {b"price": Latencies(), b"grid": Latencies()})
    received: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    octets: int = 0
    """Of the prices, grids and other public events that count."""
    _known: dict[bytes, list[Event]] = field(default_factory=dict, repr=False)

    def open_window(self, from_ms: int, upto_ms: int) -> None:
        """Count from here on."""
        self.from_ms, self.upto_ms = from_ms, upto_ms
        self.received.clear()
        self.octets = 0

    def take(self, data: bytes, now_us: int) -> bytes:
        """Count the whole frames of `data`; return what is left of the last, which has not ended yet."""
        events, left = self._known.get(data), b""
        if events is None:
            events, left = _read(data)
            if not left:
                if len(self._known) >= KNOWN_MAX:
                    self._known.clear()
                self._known[data] = events
        for event in events:
            self._count(event, now_us)
        return left

    def _count(self, event: Event, now_us: int) -> None:
        published_ms = event.published_ms
        if published_ms is None:
            self.received[event.key] += 1
        elif self.from_ms <= published_ms < self.upto_ms:
            self.received[event.key] += 1
            self.octets += event.octets
            ages = self.ages.get(event.key[0])
            if ages is not None:
                ages.add(now_us - published_ms * 1000)


def _read(data: bytes) -> tuple[list[Event], bytes]:
    """Return the events of the whole frames, and what is left of the last."""
    *frames, left = data.split(b"\n\n")
    events = []
    for frame in frames:
        if frame.startswith(EVENT):
            events.append(_event(frame))
        elif frame.startswith(HEAD) and not frame.startswith(b"200", len(HEAD)):
            raise NotAStream(frame.partition(b"\r\n")[0].decode(errors="replace"))
    return events, left


def _event(frame: bytes) -> Event:
    kind_end = frame.find(b"\n", KIND_AT)
    kind = frame[KIND_AT:kind_end]
    place_at = kind_end + PLACE_AFTER
    _, public, committed = frame[place_at : frame.find(b"\n", place_at)].split(b".", 2)
    if kind in COMMITTED:
        return Event((kind, committed), None, len(frame))
    return Event((kind, public), int(public.partition(b"-")[0]), len(frame))


def deliveries(received: Mapping[tuple[bytes, bytes], int], kind: bytes, published: set[bytes]) -> int:
    """Return how often the published events of one type were received."""
    return sum(count for (its_kind, event), count in received.items() if its_kind == kind and event in published)
