"""The readers' process: one thread, one epoll, thousands of streams."""

from __future__ import annotations

import gc
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from loadtest.bench.piped import Piped, piped
from loadtest.streams.tally import NotAStream, Tally

RECEIVE_BYTES = 65_536
OPENING_MAX = 100
"""Streams that are asked for and have not begun yet: readers who all come at once are another measurement."""
OPEN_S_MAX = 120.0
STRAGGLERS_S = 3.0
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Window:
    """What time of publication counts, Unix milliseconds."""

    from_ms: int
    upto_ms: int


@dataclass(frozen=True, slots=True)
class Received:
    """What came in the window, and how many streams ended early."""

    tally: Tally
    dropped: int


class Readers:
    """The bench's end of the pipe."""

    def __init__(self, process: Piped) -> None:
        self._process = process
        self.pid = process.pid

    def await_open(self) -> None:
        """Wait until every stream has begun."""
        self._process.await_message(OPEN_S_MAX)

    def measure(self, window: Window) -> None:
        """Let the readers count what is published in the window."""
        self._process.send(window)

    def received(self, timeout_s: float) -> Received:
        """Return what came, once the window is over."""
        message: Received = self._process.await_message(timeout_s)
        return message


@contextmanager
def readers(port: int, host: str, clients: int, events: str) -> Iterator[Readers]:
    """Run the readers' process for the length of the block."""
    with piped("the readers", serve, port, host, clients, events) as process:
        yield Readers(process)


def serve(pipe: Connection, port: int, host: str, clients: int, events: str) -> None:
    """Open every stream, then count whatever window comes through the pipe. Runs in the readers' process."""
    # HTTP/1.0, so that frames arrive without the heads of chunks between them.
    request = f"GET /api/stream?events={events} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    crowd = Crowd(("127.0.0.1", port), request)
    crowd.open(clients)
    gc.collect()
    gc.freeze()
    gc.disable()
    pipe.send(True)
    while not pipe.poll():
        crowd.read()
    window: Window = pipe.recv()
    crowd.tally.open_window(window.from_ms, window.upto_ms)
    while time.time() < window.upto_ms / 1000 + STRAGGLERS_S:
        crowd.read()
    pipe.send(Received(crowd.tally, crowd.dropped))
    # The streams go on until the window's end has been seen from outside too.
    while not pipe.poll():
        crowd.read()


class Crowd:
    """All streams of the process."""

    def __init__(self, address: tuple[str, int], request: bytes) -> None:
        self.tally = Tally()
        self.dropped = 0
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
            if self.dropped or time.monotonic() > end_s:
                raise NotAStream(f"{len(self._begun)} of {clients} have begun, {self.dropped} ended at once")
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
        self.dropped += 1
        self._epoll.unregister(descriptor)
        self._peers.pop(descriptor).close()
