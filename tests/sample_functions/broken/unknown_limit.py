from __future__ import annotations

import msgspec

from runtime.function import Body, Call, function


class Lax(msgspec.Struct):
    text: str


class Strict(Body):
    text: str


@function("GET", "/api/x", auth="none", summary="X", limits=("coffee",))
def x(call: Call[None]) -> None:
    return None
