"""GET /api/time: the server's clock, so that a client can sign with it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from runtime.function import Call, function


class ServerTime(msgspec.Struct, frozen=True):
    """The server's time when the request was received."""

    server_time: str
    server_time_ms: int


@function("GET", "/api/time", auth="none", summary="Server time", response=ServerTime)
def server_time(call: Call[None]) -> ServerTime:
    """Tell the time."""
    now_ms = call.received_ms
    text = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return ServerTime(server_time=f"{text}.{now_ms % 1000:03d}Z", server_time_ms=now_ms)
