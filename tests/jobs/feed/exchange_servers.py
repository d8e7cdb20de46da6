"""Exchanges on this machine: real sockets that speak an exchange's protocol, with habits that a test switches.

with ExchangeServer("kraken") as server:
    server.url, server.price("93750.12"), server.habit("silent"), server.farewell(), server.close(1001)
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from http import HTTPStatus
from typing import Literal, Self

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.jobs.feed.exchange_dialects import DIALECTS, Kinds

Habit = Literal["silent", "no_handshake", "refuse", "no_quotes", "nothing_granted", "maintenance"]
"""`silent`: heartbeats, no prices. `no_handshake`: accepted by the kernel, never answered. `refuse`: answered with 503.
`no_quotes`: only trades are granted. `nothing_granted`: no subscription is. `maintenance`: so new connections are
greeted."""
HALF_SPREAD = Decimal("0.01")
NUMBER_FIRST = 1_000
LATE_NUMBERS, LATE_US = 500, 60_000_000
"""How far back what comes late lies."""
JOIN_S = 10


def around(middle: str) -> tuple[str, str]:
    """Return the best bid and ask whose middle is a price."""
    price = Decimal(middle)
    half = HALF_SPREAD if price > HALF_SPREAD else Decimal(0)
    return str(price - half), str(price + half)


class Client:
    """One connection of a client, served by a thread."""

    def __init__(self, server: ExchangeServer, connected: socket.socket) -> None:
        self.kinds: Kinds = frozenset()
        self.messages = 0
        self.is_frozen = False
        self.pongs = 0
        self._server = server
        self._socket = connected
        self._protocol = ServerProtocol()
        self._lock = threading.Lock()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def send(self, frame: str | bytes) -> None:
        """Send a message, as text or as bytes."""
        if isinstance(frame, str):
            self._do(lambda protocol: protocol.send_text(frame.encode()))
        else:
            self._do(lambda protocol: protocol.send_binary(frame))

    def ping(self) -> None:
        """Send a ping."""
        self._do(lambda protocol: protocol.send_ping(b"alive?"))

    def close(self, code: int) -> None:
        """Begin to say goodbye."""
        self._do(lambda protocol: protocol.send_close(code))

    def send_raw(self, data: bytes) -> None:
        """Send what need not be a frame."""
        with self._lock:
            self._socket.sendall(data)

    def cut(self) -> None:
        """End the connection without a goodbye."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.shutdown(socket.SHUT_RDWR)

    def _do(self, act: Callable[[ServerProtocol], None]) -> None:
        # A client may be gone by now.
        with self._lock, suppress(OSError, InvalidState):
            if not self.is_frozen:
                act(self._protocol)
                self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)

    def _serve(self) -> None:
        try:
            while data := self._socket.recv(65_536):
                if not self.is_frozen and not self._server.has("no_handshake"):
                    self._hear(data)
        except OSError:
            pass
        finally:
            self._server.left(self)
            self._socket.close()

    def _hear(self, data: bytes) -> None:
        heard: list[str] = []
        with self._lock:
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                if isinstance(event, Request):
                    self._shake_hands(event)
                elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    heard.append(bytes(event.data).decode())
                elif isinstance(event, Frame) and event.opcode is Opcode.PONG:
                    self.pongs += 1
            self._flush()
            if self._protocol.close_expected():
                self._socket.shutdown(socket.SHUT_WR)
        self._server.heard(self, heard)

    def _shake_hands(self, request: Request) -> None:
        if self._server.has("refuse"):
            self._protocol.send_response(self._protocol.reject(HTTPStatus.SERVICE_UNAVAILABLE, "come again"))
            return
        self._protocol.send_response(self._protocol.accept(request))
        for text in self._server.greeting():
            self._protocol.send_text(text.encode())


class ExchangeServer:
    """An exchange on a port of this machine, from the beginning of a block to its end."""

    def __init__(self, name: str, *, price: str = "", again_s: float = 0.0) -> None:
        """Whoever subscribes is told `price`, and everybody is told the last one every `again_s`."""
        self.dialect = DIALECTS[name]
        self.subscriptions = 0
        self.accepted = 0
        self._last = price
        self._again_s = again_s
        self._number = NUMBER_FIRST
        self._habits: set[Habit] = set()
        self._clients: list[Client] = []
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}{self.dialect.path}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        if self._again_s:
            self._start(self._tell_again)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(JOIN_S)
        assert not [thread for thread in self._threads if thread.is_alive()]

    def price(self, middle: str) -> None:
        """Quote a price around `middle` to everybody, and go on from it."""
        self._last = middle
        self.quote(*around(middle))

    def quote(self, bid: str, ask: str, *, late: bool = False) -> str:
        """Quote a best bid and ask to those who subscribed to it; a late one was overtaken. Return the frame."""
        frame = self.dialect.quote(bid, ask, *self._numbers(late=late))
        self._tell("quote", frame)
        return frame

    def trade(self, price: str, *, late: bool = False) -> str:
        """Tell those who subscribed to it of a trade; a late one was overtaken. Return the frame."""
        frame = self.dialect.trade(price, *self._numbers(late=late))
        self._tell("trade", frame)
        return frame

    def send(self, frame: str | bytes) -> None:
        """Send any message to everybody."""
        for client in self.clients():
            client.send(frame)

    def heartbeat(self) -> None:
        """Send what says that the connection lives, and nothing else."""
        self.send(self.dialect.heartbeat)

    def farewell(self) -> None:
        """Ask everybody to connect anew."""
        self.send(self.dialect.farewell)

    def close(self, code: int = 1001) -> None:
        """Say goodbye to everybody, as exchanges do after 24 hours."""
        for client in self.clients():
            client.close(code)

    def freeze(self) -> None:
        """Leave every connection half open: it stays, but nothing comes and nothing is answered, a goodbye neither."""
        for client in self.clients():
            client.is_frozen = True

    def cut(self) -> None:
        """End every connection without a goodbye."""
        for client in self.clients():
            client.cut()

    def habit(self, name: Habit, on: bool = True) -> None:
        """Take on a habit, or give it up."""
        (self._habits.add if on else self._habits.discard)(name)

    def has(self, name: Habit) -> bool:
        """Tell whether it has a habit."""
        return name in self._habits

    def clients(self) -> list[Client]:
        """Return the connections that are open."""
        with self._changed:
            return [*self._clients]

    def wait_subscribed(self, count: int, timeout_s: float = 10.0) -> None:
        """Wait until it has answered all that so many connections had to ask, since its start."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.subscriptions >= count, timeout_s), self.subscriptions

    def wait_accepted(self, count: int, timeout_s: float = 10.0) -> None:
        """Wait until so many connections have come since its start."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.accepted >= count, timeout_s), self.accepted

    def greeting(self) -> tuple[str, ...]:
        """Return what a new connection is told first."""
        return (self.dialect.closed,) if self.has("maintenance") else self.dialect.greeting

    def heard(self, client: Client, texts: list[str]) -> None:
        """Answer what a client sent."""
        refused = {"nothing_granted": frozenset({"quote", "trade"}), "no_quotes": frozenset({"quote"})}
        for text in texts:
            without = frozenset[str]().union(*(refused[one] for one in refused if one in self._habits))
            kinds, answers = self.dialect.answers(text, without)
            for answer in answers:
                client.send(answer)
            client.kinds |= kinds
            client.messages += 1
            if "quote" in kinds and self._last and not self.has("silent"):
                client.send(self.dialect.quote(*around(self._last), *self._numbers(late=False)))
            with self._changed:
                self.subscriptions += client.messages == self.dialect.messages
                self._changed.notify_all()

    def left(self, client: Client) -> None:
        """Forget a client."""
        with self._changed:
            self._clients.remove(client)

    def _numbers(self, *, late: bool) -> tuple[int, int]:
        with self._changed:
            self._number += 1
            now_us = time.time_ns() // 1_000
            return (self._number - LATE_NUMBERS, now_us - LATE_US) if late else (self._number, now_us)

    def _tell(self, kind: str, frame: str) -> None:
        for client in self.clients():
            if kind in client.kinds and not self.has("silent"):
                client.send(frame)

    def _tell_again(self) -> None:
        while not self._ending.wait(self._again_s):
            if self._last:
                self.price(self._last)

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            client = Client(self, connected)
            with self._changed:
                self._clients.append(client)
                self._threads.append(client.thread)
                self.accepted += 1
                self._changed.notify_all()
            client.thread.start()

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
