"""GET /api/ticker: a stream, and GET /api/ticker/open: how many of them are open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from runtime.function import Call, Stream, function


class Open(msgspec.Struct, frozen=True):
    """Streams that are open."""

    count: int


@function("GET", "/api/ticker", auth="none", summary="Count up", media="text/event-stream")
def ticker(call: Call[None]) -> Stream:
    """Send a number, then wait for the next turn."""
    parts: Any = call.parts
    return Stream(_ticks(parts))


@function("GET", "/api/ticker/open", auth="none", summary="Open streams", response=Open)
def count(call: Call[None]) -> Open:
    """Count the open streams."""
    parts: Any = call.parts
    return Open(parts.open)


class TickerParts:
    """What the ticker needs: a turn to wait for, and a count of open streams."""

    def __init__(self) -> None:
        self.open = 0

    def turn(self) -> None:
        """Wait for the next number."""


def _ticks(parts: TickerParts) -> Iterator[bytes]:
    parts.open += 1
    try:
        number = 0
        while True:
            number += 1
            yield f"data: {number}\n\n".encode()
            parts.turn()
    finally:
        parts.open -= 1
