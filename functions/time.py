"""GET /api/time: the server's clock, so that a client can sign with it."""

from __future__ import annotations

import msgspec

from runtime.clock import rfc3339
from runtime.function import Call, function


class ServerTime(msgspec.Struct, frozen=True):
    """The server's time when the request was received."""

    server_time: str
    server_time_ms: int


@function("GET", "/api/time", auth="none", summary="Server time", response=ServerTime)
def server_time(call: Call[None]) -> ServerTime:
    """Tell the time."""
    return ServerTime(server_time=rfc3339(call.received_ms), server_time_ms=call.received_ms)
