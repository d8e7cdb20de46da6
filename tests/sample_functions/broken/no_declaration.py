from __future__ import annotations

from runtime.function import Call, function  # noqa: F401


def forgotten(call: Call[None]) -> None:
    return None
