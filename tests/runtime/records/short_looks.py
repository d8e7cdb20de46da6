"""Looks that end early, as those at a long history do: every entry ends a stretch, and a stretch has few."""

from __future__ import annotations

import pytest

from runtime.game.ledger import SQL

FEW = 2


def look_at_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at a few entries and refused bets for each page."""
    every = SQL["walk_end"].replace("number % 64 = 0 AND ", "")
    assert every != SQL["walk_end"]
    monkeypatch.setitem(SQL, "walk_end", every)
    monkeypatch.setattr("runtime.game.player_entries.WALK_MILESTONES", FEW)
    monkeypatch.setattr("runtime.records.player_bets.REFUSED_LOOKED_AT", FEW)
