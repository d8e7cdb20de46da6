"""Events to try functions with: whole ones, made of the examples that the stream's description shows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from runtime.stream.payloads import EXAMPLES
from runtime.triggers.kinds import BREAKER

NOTHING: Mapping[str, Any] = {}


def made_event(kind: str, *, data: Mapping[str, Any] = NOTHING, **others: Any) -> dict[str, Any]:
    """Return an event's fields; what is not given is that of an example, under an id that no other event has."""
    what, _, status = kind.partition(".")
    example = msgspec.to_builtins(EXAMPLES["status" if what == BREAKER else what]) if kind else {}
    became = {"status": status} if status else {}
    made = {"id": f"c1.{secrets.randbelow(10**9)}", "kind": kind, "user_id": None}
    return made | {"data": example | became | dict(data)} | others
