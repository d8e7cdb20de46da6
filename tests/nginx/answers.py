"""Ask the edge in bytes that no client would send, and check that its answers are problems."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from runtime.error_codes import CODES

PROBLEM_FIELDS = {"type", "title", "status", "code", "detail", "request_id", "retryable"}


def problem(answer: httpx.Response, status: int, code: str, *, retryable: bool = False) -> dict[str, Any]:
    """Check that an answer is one of nginx's own problems, and return its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers.get_list("content-type") == ["application/problem+json"]
    body: dict[str, Any] = answer.json()
    assert set(body) == PROBLEM_FIELDS
    assert (body["status"], body["code"], body["retryable"]) == (status, code, retryable)
    assert code in CODES
    assert body["detail"].endswith(".")
    assert answer.headers.get_list("x-request-id") == [body["request_id"]]
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", body["request_id"])
    assert ("retry-after" in answer.headers) is retryable
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_list("x-frame-options") == ["DENY"]
    return body


def connected(edge: str) -> socket.socket:
    """Connect to the edge, for bytes that no client would send."""
    address = urlsplit(edge)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=5)


def raw(edge: str, request: bytes) -> httpx.Response:
    """Send bytes that no client would send, and read the answer."""
    with connected(edge) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *fields = head.decode().split("\r\n")
    headers = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
    return httpx.Response(int(status_line.split()[1]), headers=headers, content=body)


@contextmanager
def begun_bet(edge: str, forwarded: str = "") -> Iterator[None]:
    """Hold a bet of an address whose body has only begun, once the edge has counted it and waits for the rest."""
    head = (
        "POST /api/bets HTTP/1.1",
        "Host: a",
        *((f"X-Forwarded-For: {forwarded}",) if forwarded else ()),
        "Expect: 100-continue",
        "Content-Length: 2",
    )
    with connected(edge) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (*head, "")).encode())
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{")
        yield
