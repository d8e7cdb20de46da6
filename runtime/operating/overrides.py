"""Operators' words on the breaker that are kept for ever, as they are shown."""

from __future__ import annotations

import msgspec

from runtime.clock import rfc3339, rfc3339_if_any
from runtime.game.player_entries import Execute
from runtime.records.queries import QUERIES


class KeptOverride(msgspec.Struct, frozen=True):
    """Who decided about the breaker, what, why, when, and until when it was to last."""

    set_at: str
    set_ms: int
    override: str
    until_at: str | None
    until_ms: int | None
    """Until when it was to last; null: until it is taken back."""
    who: str
    why: str


def newest_overrides(execute: Execute, limit: int) -> list[KeptOverride]:
    """Return the newest of them, newest first."""
    return [
        KeptOverride(rfc3339(set_ms), set_ms, word, rfc3339_if_any(until_ms), until_ms, who, why)
        for set_ms, word, until_ms, who, why in execute(QUERIES["overrides"], (limit,))
    ]
