"""HTTP/1.1 as the generator needs it: whole requests as bytes, and one answer read from a buffer."""

from __future__ import annotations

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *\d", re.IGNORECASE)
_CODE = re.compile(rb'"code" *: *"([A-Z_]+)"')
HEAD_BYTES_MAX = 65_536


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


def with_body(head: bytes, body: bytes) -> bytes:
    """Complete a request with a JSON body."""
    return b"%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def without_body(head: bytes) -> bytes:
    """Complete a request that has none."""
    return head + b"\r\n"


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
