"""gunicorn's response, sent in as few pieces as it can be: head and body together, a stream chunk by chunk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.config import Config
from gunicorn.http.wsgi import HEADER_VALUE_RE, Response
from gunicorn.util import http_date, is_hoppish

from runtime.server.connection import Connection
from runtime.server.head import PlainRequest

_LAST_CHUNK = b"0\r\n\r\n"
_NAMES_MAX = 1_000
_plain_names: set[str] = set()
"""Names of header fields that gunicorn let pass and has no use for itself."""


class _Date:
    """The field Date, written once a second."""

    second = 0
    text = ""


class _Chunk:
    """The chunk that was offered last, as chunked answers carry it: the next reader mostly gets the same."""

    data = b""
    carried = b""


def carried(data: bytes) -> bytes:
    """Return a chunk with its size; the same object for the same one again."""
    if data is not _Chunk.data:
        _Chunk.data, _Chunk.carried = data, b"%X\r\n%b\r\n" % (len(data), data)
    return _Chunk.carried


def date() -> str:
    """Return the time as header fields carry it."""
    second = int(time.time())
    if second != _Date.second:
        _Date.second = second
        _Date.text = http_date(second)
    return _Date.text


class Answer(Response):  # type: ignore[misc]
    """A response that collects what gunicorn's would write, until it is flushed.

    What is written is decided by gunicorn's own code, so that both paths answer alike.
    """

    headers_sent: bool

    def __init__(self, request: PlainRequest, client: Connection, cfg: Config) -> None:
        super().__init__(request, client, cfg)
        self._pending: list[bytes] = []
        self.can_be_left = False
        """Whether its greenlet may leave it to others: nothing was read behind its request."""
        self.torn = False
        """True while something is sent, or a part of it is left; it stays so when the sending was broken off."""

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        """Take the status and the header fields from the app."""
        super().start_response(status, headers, exc_info)
        return self.send

    def send(self, data: bytes) -> None:
        """Write and send at once."""
        self.write(data)
        self.flush()

    def process_headers(self, headers: Iterable[tuple[Any, Any]]) -> None:
        """Check the fields as gunicorn does; of names that passed before only the value."""
        for name, value in headers:
            if name in _plain_names and type(value) is str and HEADER_VALUE_RE.fullmatch(value):
                self.headers.append((name, value.strip(" \t")))
                continue
            super().process_headers(((name, value),))
            if name.lower() != "content-length" and not is_hoppish(name) and len(_plain_names) < _NAMES_MAX:
                _plain_names.add(name)

    def send_headers(self) -> None:
        """Put the head first among what is sent next."""
        if self.headers_sent:
            return
        connection = "upgrade" if self.upgrade else "close" if self.should_close() else "keep-alive"
        lines = [f"HTTP/1.1 {self.status}\r\nServer: {self.version}\r\nDate: {date()}\r\nConnection: {connection}\r\n"]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        lines.append("\r\n")
        self._pending.append("".join(lines).encode("latin-1"))
        self.headers_sent = True

    def _emit_body(self, data: bytes) -> None:
        self._pending.append(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def close(self) -> None:
        """Write what is still owed."""
        if not self.headers_sent:
            self.send_headers()
        if self.chunked:
            self._pending.append(_LAST_CHUNK)
        self.flush()

    def flush(self) -> None:
        """Send what was written."""
        if self._pending:
            data = b"".join(self._pending)
            self._pending.clear()
            self.torn = True
            self.sock.push(data)
            self.torn = False

    def offer(self, chunk: bytes) -> bool:
        """Send a chunk as far as it goes without waiting; False if a part is left, which the next `flush` sends first.

        For the time in which the stream's own greenlet waits for its next chunk. If it is sending instead, the chunk
        only takes its place behind what is being sent.
        """
        if self._pending or self.torn or not self.headers_sent:
            self.write(chunk)
            if self.torn:
                return False
            data = b"".join(self._pending)
            self._pending.clear()
        else:
            data = carried(chunk) if self.chunked else chunk
        sent = self.sock.push_now(data)
        if sent == len(data):
            return True
        self._pending.append(data[sent:])
        self.torn = True
        return False

    @property
    def is_event_stream(self) -> bool:
        """Tell whether the client expects that this ends some time, and comes again."""
        return any(
            name.lower() == "content-type" and value.lower().startswith("text/event-stream")
            for name, value in self.headers
        )
