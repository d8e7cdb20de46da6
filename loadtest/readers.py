"""The readers' process: one thread, one epoll, thousands of streams; what they bring is counted by id and age."""

from __future__ import annotations

import gc
import select
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from loadtest.schedule import Latencies

RECEIVE_BYTES = 65_536
OPENING_MAX = 100
"""Streams that are asked for and have not begun yet: readers who all come at once are another measurement."""
OPEN_S_MAX = 120.0
STRAGGLERS_S = 3.0
POLL_S = 0.2
HEAD = b"HTTP/1.1 "
EVENT = b"event: "
KIND_AT = len(EVENT)
OTHER_FORMS = {b"grid_change": b"grid", b"brief_price": b"price"}
"""Count as what they tell in another form."""
PLACE_AFTER = len(b"\nid: ")
COMMITTED = frozenset({b"column", b"bet", b"balance"})
Event = tuple[tuple[bytes, bytes], int | None, int]
"""Type and id, when it was published (None for what counts by its commit), and its octets."""
KNOWN_MAX = 64
"""Pieces of which it is remembered what is in them: thousands of readers get the same bytes one after the other."""


def serve(pipe: Connection, port: int, host: str, clients: int, query: str) -> None:
    """Open every stream and say so, then count the window that comes through the pipe. Runs in a process of its own."""
    # HTTP/1.0, so that frames arrive without the heads of chunks between them.
    request = f"GET /api/stream?{query} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    readers = Readers(("127.0.0.1", port), request)
    readers.open(clients)
    gc.collect()
    gc.freeze()
    gc.disable()
    pipe.send(True)
    while not pipe.poll():
        readers.read()
    from_ms, upto_ms = pipe.recv()
    readers.tally.open_window(from_ms, upto_ms)
    while time.time() < upto_ms / 1000 + STRAGGLERS_S:
        readers.read()
    pipe.send(readers.tally)
    # The streams go on until the window's end has been seen from outside too.
    while not pipe.poll():
        readers.read()


class Readers:
    """All streams of the process, and what they bring."""

    def __init__(self, address: tuple[str, int], request: bytes) -> None:
        self.tally = Tally()
        self._address = address
        self._request = request
        self._epoll = select.epoll()
        self._peers: dict[int, socket.socket] = {}
        self._left: dict[int, bytes] = {}
        self._begun: set[int] = set()

    def open(self, clients: int) -> None:
        """Open so many streams, a few at a time, and wait until each has begun."""
        end_s = time.monotonic() + OPEN_S_MAX
        while len(self._begun) < clients:
            if self.tally.dropped or time.monotonic() > end_s:
                raise NotAStream(f"{len(self._begun)} of {clients} have begun, {self.tally.dropped} ended at once")
            while len(self._peers) < clients and len(self._peers) - len(self._begun) < OPENING_MAX:
                self._open()
            self.read()

    def read(self) -> None:
        """Take what has arrived, whoever it is for."""
        for descriptor, _ in self._epoll.poll(POLL_S):
            try:
                data = self._peers[descriptor].recv(RECEIVE_BYTES)
            except OSError:
                data = b""
            if data:
                self._take(descriptor, data)
            else:
                self._drop(descriptor)

    def _take(self, descriptor: int, data: bytes) -> None:
        left = self._left[descriptor]
        self._left[descriptor] = self.tally.take(left + data if left else data, time.time_ns() // 1000)
        if descriptor not in self._begun and b"\n\n" in data:
            self._begun.add(descriptor)

    def _open(self) -> None:
        peer = socket.create_connection(self._address, timeout=10)
        peer.sendall(self._request)
        peer.setblocking(False)
        self._peers[peer.fileno()] = peer
        self._left[peer.fileno()] = b""
        self._epoll.register(peer, select.EPOLLIN)

    def _drop(self, descriptor: int) -> None:
        self.tally.dropped += 1
        self._epoll.unregister(descriptor)
        self._peers.pop(descriptor).close()


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
    dropped: int = 0
    """Streams that ended early."""
    octets: int = 0
    """Of the prices, grids and other public events that count."""
    _known: dict[bytes, list[Event]] = field(default_factory=dict, repr=False)

    def open_window(self, from_ms: int, upto_ms: int) -> None:
        """Count from here on."""
        self.from_ms, self.upto_ms = from_ms, upto_ms
        self.received.clear()
        self.octets = 0

    def deliveries(self, kind: str, published: set[bytes]) -> int:
        """Return how often the published events of one type were received."""
        return sum(self.received[kind.encode(), event] for event in published)

    def take(self, data: bytes, now_us: int) -> bytes:
        """Count the whole frames of `data`; return what is left of the last, which has not ended yet."""
        events, left = self._known.get(data), b""
        if events is None:
            events, left = _read(data)
            if not left:
                if len(self._known) >= KNOWN_MAX:
                    self._known.clear()
                self._known[data] = events
        for key, published_ms, octets in events:
            if published_ms is None:
                self.received[key] += 1
            elif self.from_ms <= published_ms < self.upto_ms:
                self.received[key] += 1
                self.octets += octets
                if key[0] in self.ages:
                    self.ages[key[0]].add(now_us - published_ms * 1000)
        return left


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
    kind = OTHER_FORMS.get(kind, kind)
    place_at = kind_end + PLACE_AFTER
    _, public, committed = frame[place_at : frame.find(b"\n", place_at)].split(b".", 2)
    if kind in COMMITTED:
        return (kind, committed), None, len(frame)
    return (kind, public), int(public.partition(b"-")[0]), len(frame)
