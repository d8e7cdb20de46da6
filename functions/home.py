"""GET /: where to go from here."""

from __future__ import annotations

import msgspec

from runtime.function import Call, function


class Home(msgspec.Struct, frozen=True):
    """The ways in."""

    docs: str = "/docs"
    openapi: str = "/openapi.json"
    grid: str = "/api/grid"
    stream: str = "/api/stream"
    health: str = "/healthz"


@function("GET", "/", auth="none", summary="The ways in", response=Home)
def home(_call: Call[None]) -> Home:
    """Name the addresses that a newcomer looks for."""
    return Home()
