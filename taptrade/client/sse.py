"""Server-sent events, cut out of bytes as they come, and where a reader of them stands between two connections."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec

from taptrade.client.problems import api_error

RETRY_MS = 1_000
RETRY_MS_MAX = 10_000
_GONE_FOR_GOOD = frozenset({400, 403, 404})
# A 401 is not: the session may be renewed between two connections.
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event; `id` is the reader's cursor after it."""

    id: str
    type: str
    data: bytes

    def read(self, kind: builtins.type[_T]) -> _T:
        """Read the data as one of `taptrade.views`, such as BetView of a `bet`."""
        return msgspec.json.decode(self.data, type=kind)


class SseParser:
    """Cut a byte stream into events, however it comes in chunks (WHATWG rules: CR, LF and CRLF end a line)."""

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_ms: int | None = None
        self._rest = b""
        self._type = ""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take bytes and give the events that they complete."""
        text = self._rest + chunk
        # A CR at the end may be half of a CRLF: it waits for the next byte.
        held = b"\r" if text.endswith(b"\r") else b""
        lines = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        for line in lines:
            event = self._line(line)
            if event is not None:
                yield event

    def _line(self, line: bytes) -> StreamEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._type = value.decode()
        elif field == b"id" and b"\0" not in value:
            self.last_id = value.decode()
        elif field == b"retry" and value.isdigit():
            self.retry_ms = int(value)
        return None

    def _dispatch(self) -> StreamEvent | None:
        kind, data = self._type or "message", self._data
        self._type, self._data = "", []
        return StreamEvent(self.last_id, kind, b"\n".join(data)) if data else None


class Standing:
    """Where a reader stands: the cursor to resume from, and how long to wait before the next connection."""

    def __init__(self) -> None:
        self.last_id = ""
        self._retry_ms = RETRY_MS
        self._wait_ms = RETRY_MS

    def headers(self, token: str) -> dict[str, str]:
        """Return what a connection is asked for with."""
        headers = {"Accept": "text/event-stream"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        return headers

    def wait_s(self) -> float:
        """Return how long to wait now; twice as long the next time, if nothing comes until then."""
        wait_s = self._wait_ms / 1000
        self._wait_ms = min(2 * self._wait_ms, RETRY_MS_MAX)
        return wait_s

    def refused(self, response: httpx.Response) -> None:
        """Note a refusal; raise ApiError where trying again cannot help."""
        if response.status_code == httpx.codes.BAD_REQUEST and self.last_id:
            # A cursor that is not understood any more: begin anew, with a snapshot.
            self.last_id = ""
        elif response.status_code in _GONE_FOR_GOOD:
            raise api_error(response)
        self._wait_ms = max(self._wait_ms, int(1000 * (api_error(response).retry_after_s or 0)))

    def parser(self) -> SseParser:
        """Return what cuts a new connection's bytes, from there on."""
        parser = SseParser()
        parser.last_id = self.last_id
        return parser

    def note(self, event: StreamEvent, parser: SseParser) -> None:
        """Note that an event has been read."""
        self.last_id = event.id
        self._wait_ms = self._retry_ms = parser.retry_ms or self._retry_ms
