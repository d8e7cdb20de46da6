"""Server-sent events, cut out of bytes as they come."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

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
