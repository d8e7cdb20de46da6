"""The open loop: requests leave on schedule over kept-alive connections, without blocking and in one thread."""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from loadtest.schedule import WAIT_S_MAX, Figures, Plan, Schedule

RECEIVE_BYTES = 65_536
SENDS_AT_ONCE = 8
"""Requests that may leave before answers are looked at again."""
HEAD_BYTES_MAX = 65_536
IDLE_S_MAX = 5.0
"""A connection that was idle for longer is not used again: nginx ends one without a request after 10 s, others after
75 s, and what is sent just then is lost, as any client must expect."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *\d", re.IGNORECASE)
_CODE = re.compile(rb'"code" *: *"([A-Z_]+)"')


class Unreadable(Exception):
    """The answer is not one that the generator reads: no status, or no length."""


class NoRetryAfter(Unreadable):
    """A refusal for lack of capacity does not say when to come back."""


def head_of(method: str, path: str, host: str, token: str = "") -> bytes:
    """Write the head of a request up to its length, for many requests of one player."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "User-Agent: taptrade-bench", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return ("\r\n".join(lines) + "\r\n").encode()


def request_of(head: bytes, body: bytes = b"") -> bytes:
    """Complete a request, with a JSON body if there is one."""
    if not body:
        return head + b"\r\n"
    return b"%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def split_answer(data: bytes) -> tuple[int, bytes] | None:
    """Return status and body once `data` holds a whole answer, None while it does not; raise Unreadable."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        if len(data) > HEAD_BYTES_MAX:
            raise Unreadable
        return None
    found = _LENGTH.search(data, 0, head_end)
    if data.startswith(b"HTTP/1.1 503") and not _RETRY_AFTER.search(data, 0, head_end):
        raise NoRetryAfter
    if found is None or not data.startswith(b"HTTP/1.1 "):
        raise Unreadable
    body_start = head_end + 4
    if len(data) < body_start + int(found[1]):
        return None
    return int(data[9:12]), data[body_start:]


def problem_code(status: int, body: bytes) -> str:
    """Return the code of a problem, or its status where it has none."""
    found = _CODE.search(body)
    return found[1].decode() if found else f"HTTP_{status}"


class Traffic(Protocol):
    """What to send next, and what an answer means."""

    def request(self) -> tuple[bytes, int]:
        """Return the next request and a tag that comes back with its answer."""

    def answered(self, tag: int, status: int, body: bytes) -> str:
        """Return the error's code, empty if the answer is the wanted one."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A request that goes out now and then on a connection of its own."""

    request: bytes
    every_s: float
    answered: Callable[[int, bytes], None]


@dataclass(slots=True, eq=False)
class Line:
    """One connection; `due_s` is when the request on it should have left."""

    peer: socket.socket
    due_s: float = 0.0
    tag: int = 0
    busy: bool = False
    received: bytes = b""
    used_s: float = 0.0
    """When it was opened, or its last answer came."""


class OpenLoop:
    """Some hundred connections to one address, and the loop over them."""

    def __init__(self, address: tuple[str, int], connections: int, errand: Errand | None = None) -> None:
        self._address = address
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._free = [self._open() for _ in range(connections)]
        self._errand = errand
        self._errand_line = self._open() if errand else None
        self._errand_due_s = 0.0

    def close(self) -> None:
        """Close every connection."""
        for line in self._lines.values():
            line.peer.close()
        self._epoll.close()

    def run(
        self, plan: Plan, traffic: Traffic, each_second: Callable[[Figures], None] = lambda _figures: None
    ) -> Figures:
        """Follow the plan; late requests still leave, and what never leaves or never returns is an error."""
        schedule = Schedule(plan, now_s := time.perf_counter())
        tell_s = now_s + 1
        while not schedule.is_over(now_s):
            if now_s >= tell_s:
                each_second(schedule.figures)
                tell_s = now_s + 1
            self._send_due(schedule, traffic)
            self._run_errand(now_s)
            self._receive(schedule, traffic)
            now_s = time.perf_counter()
        schedule.give_up(now_s)
        for line in [line for line in self._lines.values() if line.busy and line is not self._errand_line]:
            self._lost(schedule, line, now_s, "NO_ANSWER")
        return schedule.figures

    def _send_due(self, schedule: Schedule, traffic: Traffic) -> None:
        for _ in range(SENDS_AT_ONCE):
            now_s = time.perf_counter()
            if not self._free or not schedule.is_due(now_s):
                return
            line = self._fresh(self._free.pop(), now_s)
            line.due_s, line.busy = schedule.take(now_s), True
            request, line.tag = traffic.request()
            try:
                # Far shorter than a socket's buffer, which is empty here: it always goes as a whole.
                line.peer.send(request)
            except OSError:
                self._lost(schedule, line, time.perf_counter(), "CONNECTION_CLOSED")

    def _run_errand(self, now_s: float) -> None:
        line = self._errand_line
        if self._errand is None or line is None or line.busy or now_s < self._errand_due_s:
            return
        self._errand_due_s, line.busy = now_s + self._errand.every_s, True
        line.peer.send(self._errand.request)

    def _receive(self, schedule: Schedule, traffic: Traffic) -> None:
        wait_s = schedule.until_due_s(time.perf_counter()) if self._free else WAIT_S_MAX
        for descriptor, _ in self._epoll.poll(wait_s):
            line = self._lines[descriptor]
            try:
                data = line.peer.recv(RECEIVE_BYTES)
                line.received += data
                answer = split_answer(line.received)
            except (OSError, Unreadable) as ex:
                self._lost(schedule, line, time.perf_counter(), type(ex).__name__.upper())
                continue
            if not data:
                self._lost(schedule, line, time.perf_counter(), "CONNECTION_CLOSED")
            elif answer is not None:
                self._answered(schedule, traffic, line, answer)

    def _answered(self, schedule: Schedule, traffic: Traffic, line: Line, answer: tuple[int, bytes]) -> None:
        now_s = time.perf_counter()
        line.busy, line.received, line.used_s = False, b"", now_s
        if line is self._errand_line and self._errand is not None:
            self._errand.answered(*answer)
            return
        self._free.append(line)
        schedule.note(line.due_s, now_s, traffic.answered(line.tag, *answer))

    def _lost(self, schedule: Schedule, line: Line, now_s: float, code: str) -> None:
        """Replace a connection; what was under way on it is an error, unless it was the errand."""
        self._drop(line)
        if line is self._errand_line:
            self._errand_line = self._open()
            return
        if line.busy:
            schedule.note(line.due_s, now_s, code)
        else:
            self._free.remove(line)
        self._free.append(self._open())

    def _fresh(self, line: Line, now_s: float) -> Line:
        """Return a connection that the server does not give up at this moment."""
        if now_s - line.used_s <= IDLE_S_MAX:
            return line
        self._drop(line)
        return self._open()

    def _drop(self, line: Line) -> None:
        self._epoll.unregister(line.peer)
        del self._lines[line.peer.fileno()]
        line.peer.close()

    def _open(self) -> Line:
        peer = socket.create_connection(self._address, timeout=5)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setblocking(False)
        line = self._lines[peer.fileno()] = Line(peer, used_s=time.perf_counter())
        self._epoll.register(peer, select.EPOLLIN)
        return line
