"""Recount gestures: each bet without a nonce of its own is the line of a gesture that its id names."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.audit.findings import Finding
from runtime.audit.records import AUDIT, Walker
from runtime.game.gestures import Gesture, TapLine, gesture_of


def check_gestures(database: Walker) -> Iterator[Finding]:
    """Yield bets that were not signed as they stand, and gestures without bets."""
    for bet_id, cell_id, amount, min_rate_bp, gesture_id, *rest in database.iterate(AUDIT["bets_of_gestures"]):
        named, tap = gesture_of(bet_id)
        if not named or gesture_id != named:
            yield Finding("bets", bet_id, f"its gesture {named or 'none'} is not there")
        elif Gesture(gesture_id, *rest).line(tap) != TapLine(cell_id, amount, min_rate_bp):
            yield Finding("bets", bet_id, f"tap {tap} of its gesture is another")
    for (gesture_id,) in database.iterate(AUDIT["gestures_without_bets"]):
        yield Finding("gestures", gesture_id, "its first bet is not there")
