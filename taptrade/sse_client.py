"""Follow the event stream: server-sent events with their ids, and a reconnect that goes on where it broke off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Event as Flag

import httpx

from taptrade.client import api_error, may_use_proxy

RETRY_MS = 1_000
RETRY_MS_MAX = 10_000
SILENCE_S = 40.0
"""Longer than two heartbeats: a stream that is silent for so long is dead."""
CONNECT_S = 5.0
_GONE_FOR_GOOD = frozenset({400, 403, 404})
# A 401 is not: the session may be renewed between two connections.


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event; `id` is the reader's cursor after it."""

    id: str
    type: str
    data: bytes


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


class EventStream:
    """The stream at `url`, read for as long as `stop` is not set.

    A connection that breaks is opened again with the last id that was read, so the server goes on from there.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str],
        stop: Flag,
        on_connect: Callable[[int], None] = lambda _: None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.last_id = ""
        self._url = url
        self._token = token
        self._stop = stop
        self._on_connect = on_connect
        self._transport = transport
        self._connections = 0
        self._retry_ms = RETRY_MS
        self._wait_ms = RETRY_MS

    def events(self) -> Iterator[StreamEvent]:
        """Give events until `stop` is set; raise ApiError only where trying again cannot help."""
        timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
        proxied, trusted = may_use_proxy(self._url), httpx.create_ssl_context()
        with httpx.Client(timeout=timeout, transport=self._transport, trust_env=proxied, verify=trusted) as http:
            while not self._stop.is_set():
                # A server restarts, a line breaks: the wait and the next connection follow.
                with suppress(httpx.TransportError):
                    yield from self._connection(http)
                self._stop.wait(self._wait_ms / 1000)
                self._wait_ms = min(2 * self._wait_ms, RETRY_MS_MAX)

    def _connection(self, http: httpx.Client) -> Iterator[StreamEvent]:
        headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {self._token()}"}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        with http.stream("GET", self._url, headers=headers) as response:
            if not response.is_success:
                response.read()
                if response.status_code in _GONE_FOR_GOOD:
                    raise api_error(response)
                return
            self._connections += 1
            self._on_connect(self._connections)
            parser = SseParser()
            parser.last_id = self.last_id
            for chunk in response.iter_bytes():
                for event in parser.feed(chunk):
                    self.last_id = event.id
                    self._wait_ms = self._retry_ms = parser.retry_ms or self._retry_ms
                    yield event
                    if self._stop.is_set():
                        return
