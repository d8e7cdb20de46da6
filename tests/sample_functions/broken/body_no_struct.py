from __future__ import annotations

import msgspec

from runtime.function import Body, Call, function


class Lax(msgspec.Struct):
    text: str


class Strict(Body):
    text: str


@function("POST", "/api/x", auth="none", summary="X", body=dict)
def x(call: Call[dict]) -> None:
    return None
