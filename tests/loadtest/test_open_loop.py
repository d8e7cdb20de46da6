"""The open loop over real sockets, against a server that does what a test asks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loadtest import open_loop
from loadtest.open_loop import Errand, OpenLoop
from loadtest.schedule import Figures, Plan

PLAN = Plan(rate=200, warm_up_s=0.0, measure_s=0.2)
REQUESTS = 40
GOOD = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
Answer = Callable[[socket.socket, int], None]


class Calls:
    """Numbered requests; 201 is what is wanted."""

    def __init__(self) -> None:
        self.sent = 0
        self.tags: list[int] = []

    def request(self) -> tuple[bytes, int]:
        self.sent += 1
        return b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", self.sent

    def answered(self, tag: int, status: int, body: bytes) -> str:
        self.tags.append(tag)
        return "" if (status, body) == (201, b"{}") else f"HTTP_{status}"


@contextmanager
def server(answer: Answer) -> Iterator[tuple[str, int]]:
    """Serve every connection in a thread of its own; `answer` gets the connection and the number of the request."""
    listener = socket.create_server(("127.0.0.1", 0))
    count = iter(range(1, 10_000))

    def serve(peer: socket.socket) -> None:
        with peer:
            while peer.recv(4096):
                answer(peer, next(count))

    def accept() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()


def run(answer: Answer, *, connections: int = 4, errand: Errand | None = None) -> tuple[Figures, Calls]:
    calls = Calls()
    with server(answer) as address:
        loop = OpenLoop(address, connections, errand)
        try:
            return loop.run(PLAN, calls), calls
        finally:
            loop.close()


def test_every_request_of_the_schedule_is_answered() -> None:
    figures, calls = run(lambda peer, _: peer.sendall(GOOD))
    assert (figures.good, len(figures.latencies), dict(figures.errors)) == (REQUESTS, REQUESTS, {})
    assert sorted(calls.tags) == [*range(1, REQUESTS + 1)]


def test_answer_in_pieces_is_one_answer() -> None:
    def in_pieces(peer: socket.socket, _: int) -> None:
        for at in range(0, len(GOOD), 5):
            peer.sendall(GOOD[at : at + 5])

    figures, _ = run(in_pieces)
    assert (figures.good, dict(figures.errors)) == (REQUESTS, {})


def test_refusals_and_lost_connections_are_counted_by_code() -> None:
    def moody(peer: socket.socket, number: int) -> None:
        if number == 3:
            peer.shutdown(socket.SHUT_RDWR)
        elif number == 5:
            peer.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
        elif number == 7:
            peer.sendall(b"nonsense\r\n\r\n")
        else:
            peer.sendall(GOOD)

    figures, _ = run(moody)
    assert dict(figures.errors) == {"CONNECTION_CLOSED": 1, "HTTP_503": 1, "UNREADABLE": 1}
    assert figures.good == REQUESTS - 3


def test_errand_runs_beside_the_schedule() -> None:
    seen: list[tuple[int, bytes]] = []
    errand = Errand(b"GET /grid HTTP/1.1\r\n\r\n", 0.05, lambda status, body: seen.append((status, body)))
    figures, calls = run(lambda peer, _: peer.sendall(GOOD), errand=errand)
    assert figures.good == REQUESTS == len(calls.tags)
    assert seen
    assert set(seen) == {(201, b"{}")}


def test_what_was_idle_for_too_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    peers: set[tuple[str, int]] = set()

    def noted(peer: socket.socket, _: int) -> None:
        peers.add(peer.getpeername())
        peer.sendall(GOOD)

    run(noted)
    assert len(peers) <= 4
    peers.clear()
    monkeypatch.setattr(open_loop, "IDLE_S_MAX", -1.0)
    figures, _ = run(noted)
    assert (len(peers), figures.good, dict(figures.errors)) == (REQUESTS, REQUESTS, {})


def test_one_connection_makes_latency_of_the_wait() -> None:
    waits = threading.Event()

    def slow(peer: socket.socket, _: int) -> None:
        waits.wait(0.01)
        peer.sendall(GOOD)

    figures, _ = run(slow, connections=1)
    assert figures.good == REQUESTS
    # 40 requests of at least 10 ms, one after the other, due within 200 ms: the last waited for the rest.
    assert figures.latencies.percentile_us(100) > 150_000
