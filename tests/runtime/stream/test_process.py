"""Hub of a real API process under gunicorn and gevent: slow readers, leavers, restarts."""

from __future__ import annotations

import socket
import time
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
        self._socket.settimeout(0.2)
        self._socket.connect(("127.0.0.1", port))
        given = [f"Authorization: Bearer {token}"] if token else []
        given += [f"Last-Event-ID: {asked}"] if asked else []
        self._socket.sendall("\r\n".join(["GET /api/stream HTTP/1.0", *given, "", ""]).encode())
        self.bytes = b""
        self.ended = False

    def read(self) -> list[Told]:
        """Take what is there and return all events so far."""
        try:
            while chunk := self._socket.recv(65_536):
                self.bytes += chunk
            self.ended = True
        except TimeoutError:
            pass
        except OSError:
            self.ended = True
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


def test_slow_leaving_and_resuming_readers(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis, port: int, clock: ManualClock
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    desk = Desk(data / "taptrade.db", redis_url, clock)
    redis_client.hset(redis_keys.EPOCH, mapping={"id": "E1", "since_s": 0})
    user = desk.player()
    token, session = Sessions(redis_client, SystemClock()).create(user, "0x" + "ab" * 20)
    try:
        with api(data, redis_url, port):
            cursor = slow_readers_get_the_newest(desk, port, user, token)
            leavers_leave_nothing_behind(redis_client, port)
        publish(redis_client, "touched", 7)
        desk.place(desk.bet(user, rows=5))
        with api(data, redis_url, port):
            a_new_process_resumes(desk, port, user, token, cursor)
            a_session_that_ends_ends_its_streams(redis_client, port, token, session.id)
    finally:
        desk.close()


def slow_readers_get_the_newest(desk: Desk, port: int, user: str, token: str) -> str:
    slow, quick = Client(port, token, receive_bytes=4_096), Client(port, token)
    wait_until(lambda: quick.types() == ["hello", "snapshot"])
    for number in range(1, 1_001):
        publish(desk.client, "grid", number, GRID_BYTES)
        publish(desk.client, "price", number)
        if number % 200 == 0:
            desk.place(desk.bet(user, rows=number // 200 - 1))
            quick.read()
    started_s = time.monotonic()
    wait_until(lambda: has_the_newest(quick))
    assert time.monotonic() - started_s < 5
    wait_until(lambda: has_the_newest(slow))
    told = slow.read()
    assert len(slow.bytes) < 1_000 * GRID_BYTES / 4
    assert [event.type for event in told].count("bet") == 5
    assert [event.event_id for event in told if event.type == "bet"] == [
        event.event_id for event in quick.read() if event.type == "bet"
    ]
    slow.close()
    quick.close()
    return told[-1].id


def has_the_newest(client: Client) -> bool:
    newest = {event.type for event in client.read() if event.data.get("number") == 1_000}
    return newest >= {"grid", "price"} and client.types().count("bet") == 5


def leavers_leave_nothing_behind(client: redis.Redis, port: int) -> None:
    clients = [Client(port) for _ in range(200)]
    wait_until(lambda: all("snapshot" in one.types() for one in clients[::20]), timeout_s=30)
    assert connections(port) >= 200
    for one in clients:
        one.close()

    def gone() -> bool:
        publish(client, "price", 2_000)
        return connections(port) == 0

    wait_until(gone, every_s=0.1)


def a_new_process_resumes(desk: Desk, port: int, user: str, token: str, cursor: str) -> None:
    reader = Client(port, token, asked=cursor)
    wait_until(lambda: {"touched", "bet", "balance", "price", "grid"} <= set(reader.types()))
    told = reader.read()
    assert told[0].type == "hello"
    assert [event.type for event in told].count("bet") == 1
    assert [event.data["number"] for event in told if event.type == "touched"] == [7]
    desk.place(desk.bet(user, rows=6))
    wait_until(lambda: reader.types().count("bet") == 2)
    reader.close()


def a_session_that_ends_ends_its_streams(client: redis.Redis, port: int, token: str, session_id: str) -> None:
    reader = Client(port, token)
    wait_until(lambda: "snapshot" in reader.types())
    client.delete(redis_keys.session(session_id))

    def ended() -> bool:
        reader.read()
        return reader.ended

    wait_until(ended, timeout_s=4)
    reader.close()
