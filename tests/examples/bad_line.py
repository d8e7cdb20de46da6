"""A cable on which every kind of request fails once in each way, by a plan: answers lost, requests lost, refusals."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Condition, Thread

import httpx

from tests.page.cable import CHUNK_BYTES, Cable
from tests.waiting import wait_until

REQUEST = re.compile(rb"(?P<what>[A-Z]+ /[\w/-]*)(?:\?\S*)? HTTP/1\.1\r\n(?P<fields>.*?)\r\n\r\n", re.DOTALL)
LENGTH = re.compile(rb"(?im)^content-length: *(\d+)\r?$")
TOKEN = re.compile(rb"(?im)^authorization: *bearer (\S+?)\r?$")
ID = re.compile(r"/[0-9A-Z]{26}$")
LAST_CHUNK = b"\r\n0\r\n\r\n"
STREAM_CHUNKS = 6
"""So many reads of the stream until a cut."""
WAIT_S_MAX = 60

PASS, LOSE_ANSWER, LOSE_REQUEST, BUSY, LIMITED, END_SESSION = range(6)
LOGIN = [LOSE_ANSWER, BUSY]
PLAN = {
    "POST /api/auth/login": LOGIN,
    "POST /api/auth/guest": LOGIN,
    "POST /api/bets": [PASS, LOSE_ANSWER, PASS, LOSE_REQUEST, BUSY, LIMITED, PASS, END_SESSION, LOSE_ANSWER],
    "GET /api/bets": [LOSE_ANSWER, BUSY],
    "GET /api/ledger": [LOSE_ANSWER, LIMITED],
    "GET /api/stream": [BUSY, LOSE_ANSWER, PASS, LOSE_ANSWER],
}
"""What becomes of the first requests of each kind, in their order; of a stream an answer is lost after a while."""
REFUSALS = {
    BUSY: (503, "OVERLOADED", "Service Unavailable"),
    LIMITED: (429, "RATE_LIMITED", "Too Many Requests"),
}


class BadLine(Cable):
    """Listen on a port of loopback as the house of one bot."""

    def __init__(self, port: int) -> None:
        """`port` is where the house listens on loopback."""
        super().__init__(port)
        self.house = f"http://127.0.0.1:{port}"
        self.nonces: Counter[str] = Counter()
        """How often each signed bet was sent, by its nonce."""
        self.met: Counter[int] = Counter()
        """How often each of the ways to fail was met."""
        self._seen: Counter[str] = Counter()
        self._changed = Condition()

    def wait_for_bets(self, count: int) -> None:
        """Wait until so many bets were sent, the repeats not counted."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.nonces) >= count, WAIT_S_MAX), "no bets were sent"

    def _take(self, near: socket.socket) -> None:
        Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        """Pass one connection's requests on, one after the other; break it where the plan says so."""
        with near, suppress(OSError), socket.create_connection(self._to) as far:
            for what, fields, request in requests(near):
                fate = self._fate(what, request)
                if fate in REFUSALS:
                    near.sendall(refusal(*REFUSALS[fate]))
                    return
                if fate == LOSE_REQUEST:
                    return
                if fate == END_SESSION:
                    self._end_session(fields)
                far.sendall(request)
                if what == "GET /api/stream":
                    if not self._pass_stream(near, far, STREAM_CHUNKS if fate == LOSE_ANSWER else None):
                        return
                    continue
                answer = read_answer(far)
                if fate == LOSE_ANSWER:
                    return
                near.sendall(answer)

    def _fate(self, what: str, request: bytes) -> int:
        with self._changed:
            plan = PLAN.get(what, [])
            fate = plan[self._seen[what]] if self._seen[what] < len(plan) else PASS
            self._seen[what] += 1
            self.met[fate] += 1
            if what == "POST /api/bets":
                self.nonces[json.loads(request.partition(b"\r\n\r\n")[2])["nonce"]] += 1
                self._changed.notify_all()
            return fate

    def _end_session(self, fields: bytes) -> None:
        """Sign the bot out by its own token: what it asks next is refused by the house itself, once it is there."""
        found = TOKEN.search(fields)
        assert found, "a bet without a session"
        headers = {"Authorization": f"Bearer {found[1].decode()}"}

        def is_out() -> bool:
            with suppress(httpx.TransportError):  # the house's process may just have been killed
                answer = httpx.post(f"{self.house}/api/auth/logout", headers=headers, trust_env=False)
                return answer.is_success or answer.status_code == httpx.codes.UNAUTHORIZED
            return False

        wait_until(is_out, WAIT_S_MAX, what="the end of a session")

    @staticmethod
    def _pass_stream(near: socket.socket, far: socket.socket, chunks: int | None) -> bool:
        """Pass a stream on; tell whether it has ended as a whole answer, so that another request may follow."""
        end = b""
        while chunks != 0 and (data := far.recv(CHUNK_BYTES)):
            near.sendall(data)
            chunks = None if chunks is None else chunks - 1
            end = (end + data)[-len(LAST_CHUNK) :]
            if end == LAST_CHUNK:
                return True
        return False


def requests(near: socket.socket) -> Iterator[tuple[str, bytes, bytes]]:
    """Give the requests of a connection: method and path without an id, the fields, and all its bytes."""
    rest = b""
    while True:
        rest = _until(near, rest, REQUEST.match)
        found = REQUEST.match(rest)
        if found is None:
            return
        length = LENGTH.search(found["fields"] + b"\r\n")
        end = found.end() + (int(length[1]) if length else 0)
        rest = _until(near, rest, partial(_has, end))
        yield ID.sub("", found["what"].decode()), found["fields"] + b"\r\n", rest[:end]
        rest = rest[end:]


def read_answer(far: socket.socket) -> bytes:
    """Read one whole answer that has a length."""
    data = _until(far, b"", lambda data: b"\r\n\r\n" in data)
    head, _, body = data.partition(b"\r\n\r\n")
    length = LENGTH.search(head + b"\r\n")
    size = int(length[1]) if length else 0
    return head + b"\r\n\r\n" + _until(far, body, partial(_has, size))


def _has(size: int, data: bytes) -> bool:
    return len(data) >= size


def _until(end: socket.socket, data: bytes, is_enough: Callable[[bytes], object]) -> bytes:
    while not is_enough(data) and (more := end.recv(CHUNK_BYTES)):
        data += more
    return data


def refusal(status: int, code: str, reason: str) -> bytes:
    """Write a refusal as the house does, after which the same may be sent again in a second."""
    body = json.dumps({"status": status, "code": code, "detail": "By the plan of a test.", "retryable": True}).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
