"""Hub of a real API process under gunicorn and gevent: slow readers, leavers, restarts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from runtime.auth.sessions import Sessions
from runtime.clock import ManualClock, SystemClock
from runtime.messaging import bus, redis_keys
from tests.jobs.writer_desk import Desk, tick_at
from tests.runtime.stream.station import Told, read_events
from tests.serving import serving
from tests.waiting import wait_until

GRID_BYTES = 8_000


class Client:
    """A stream read from a socket; HTTP/1.0, so that nothing but the events is in it."""

    def __init__(self, port: int, token: str = "", *, asked: str = "", receive_bytes: int = 0) -> None:
        self._socket = socket.socket()
        if receive_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.connect(("127.0.0.1", port))
        given = [f"Authorization: Bearer {token}"] if token else []
        given += [f"Last-Event-ID: {asked}"] if asked else []
        self._socket.sendall("\r\n".join(["GET /api/stream HTTP/1.0", *given, "", ""]).encode())
        # Who reads takes what is there; it is for the test to wait.
        self._socket.setblocking(False)
        self.bytes = b""
        self.ended = False

    def read(self) -> list[Told]:
        """Take what is there and return all events so far."""
        try:
            while chunk := self._socket.recv(65_536):
                self.bytes += chunk
            self.ended = True
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True
        return self.told

    @property
    def told(self) -> list[Told]:
        """All events that have been read."""
        _, _, body = self.bytes.partition(b"\r\n\r\n")
        whole, _, _ = body.rpartition(b"\n\n")
        return read_events(whole)

    def types(self) -> list[str]:
        """Return the types of all events so far."""
        return [event.type for event in self.read()]

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()


@contextmanager
def api(data: Path, url: str, port: int) -> Iterator[None]:
    """Run the API process."""
    with serving("api", data, url, TAPTRADE_PORT=str(port)):
        wait_until(lambda: _answers(port), timeout_s=30, what="the API")
        yield


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as client:
            client.sendall(b"GET /api/time HTTP/1.0\r\n\r\n")
            return b"200 OK" in client.recv(4096)
    except OSError:
        return False


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def publish(client: redis.Redis, kind: Any, number: int, size: int = 0) -> None:
    now_ms = SystemClock().now_ms()
    tick = msgspec.to_builtins(tick_at(now_ms)) if kind == "price" else {}
    data = msgspec.json.encode({**tick, "number": number, "filling": "x" * size})
    bus.publish_public(client, kind, data, now_ms)


def connections(port: int) -> int:
    """Count the connections that the server of a port has not closed: established, or left by the client only."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[1].partition(":")[2], 16) == port and row[3] in ("01", "08") for row in rows)


def test_slow_readers_miss_no_bet_leavers_leave_nothing_and_whoever_comes_again_resumes(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis, port: int, clock: ManualClock
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    desk = Desk(data / "taptrade.db", redis_url, clock)
    redis_client.hset(redis_keys.EPOCH, mapping={"id": "E1", "since_s": 0})
    user = desk.player()
    token, session = Sessions(redis_client, SystemClock()).create(user, "0x" + "ab" * 20, "192.0.2.7")
    try:
        with api(data, redis_url, port):
            slow, quick, slow_bytes = read_a_thousand(desk, port, user, token)
            assert len(bet_ids(slow)) == 5
            assert bet_ids(slow) == bet_ids(quick)
            assert slow_bytes < 1_000 * GRID_BYTES / 4
            assert come_and_gone(redis_client, port) == (True, 0)
        publish(redis_client, "touched", 7)
        desk.place(desk.bet(user, rows=5))
        with api(data, redis_url, port):
            resumed = resume(desk, port, user, token, slow[-1].id)
            assert resumed[0].type == "hello"
            assert len(bet_ids(resumed)) == 2
            assert [event.data["number"] for event in resumed if event.type == "touched"] == [7]
            assert is_ended_with_its_session(redis_client, port, token, session.id)
    finally:
        desk.close()


def bet_ids(told: list[Told]) -> list[str]:
    return [event.event_id for event in told if event.type == "bet"]


def read_a_thousand(desk: Desk, port: int, user: str, token: str) -> tuple[list[Told], list[Told], int]:
    """Publish more than a slow reader takes; return what it and a quick one were told, and the bytes of the first."""
    slow, quick = Client(port, token, receive_bytes=4_096), Client(port, token)
    wait_until(lambda: quick.types() == ["hello", "snapshot"])
    for number in range(1, 1_001):
        publish(desk.client, "grid", number, GRID_BYTES)
        publish(desk.client, "price", number)
        if number % 200 == 0:
            desk.place(desk.bet(user, rows=number // 200 - 1))
            quick.read()
    wait_until(lambda: has_the_newest(quick), 5)
    wait_until(lambda: has_the_newest(slow))
    told = slow.read(), quick.read()
    slow.close()
    quick.close()
    return *told, len(slow.bytes)


def has_the_newest(client: Client) -> bool:
    newest = {event.type for event in client.read() if event.data.get("number") == 1_000}
    return newest >= {"grid", "price"} and client.types().count("bet") == 5


def come_and_gone(client: redis.Redis, port: int) -> tuple[bool, int]:
    """Let two hundred readers come and go: whether all were there, and how many connections are left."""
    clients = [Client(port) for _ in range(200)]
    wait_until(lambda: all("snapshot" in one.types() for one in clients[::20]), timeout_s=30)
    all_there = connections(port) >= 200
    for one in clients:
        one.close()

    def gone() -> bool:
        publish(client, "price", 2_000)
        return connections(port) == 0

    wait_until(gone, every_s=0.1)
    return all_there, connections(port)


def resume(desk: Desk, port: int, user: str, token: str, cursor: str) -> list[Told]:
    """Come again to a new process, and go on until another bet is told; return all that was told."""
    reader = Client(port, token, asked=cursor)
    wait_until(lambda: {"touched", "bet", "balance", "price", "grid"} <= set(reader.types()))
    assert reader.types().count("bet") == 1
    desk.place(desk.bet(user, rows=6))
    wait_until(lambda: reader.types().count("bet") == 2)
    reader.close()
    return reader.told


def is_ended_with_its_session(client: redis.Redis, port: int, token: str, session_id: str) -> bool:
    """End a session while its stream is read; wait for the end of the stream."""
    reader = Client(port, token)
    wait_until(lambda: "snapshot" in reader.types())
    client.delete(redis_keys.session(session_id))

    def ended() -> bool:
        reader.read()
        return reader.ended

    is_ended = wait_until(ended, timeout_s=4)
    reader.close()
    return is_ended
