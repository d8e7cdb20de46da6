"""Settlement: the evidence of a window, taken from the recorded ticks, and which bands it touched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from runtime.game.columns import Evidence
from runtime.game.ticks import Tick

GAP_MS_MAX = 10_000
"""Two neighbours of the path may be this far apart; with more between them nobody knows where the price was."""

Result = Literal["won", "lost", "void"]

SILENCE_MS_MAX = 60_000
"""After a window's end, a following tick is waited for this long."""


def evidence(  # the path as the store of ticks gives it, then the times
    carried: Tick | None, ticks: Sequence[Tick], following: Tick | None, start_ms: int, end_ms: int, now_ms: int
) -> Evidence | None:
    """Judge the window [start, end) by its path; None while it cannot be decided.

    `carried` is the last tick at or before the start, `ticks` are those with start <= id < end, `following` is the
    first at or after the end. A tick at the very start is the one carried in, and with its low and high in the window.
    """
    _check_order(carried, ticks, following, start_ms, end_ms)
    if now_ms < end_ms:
        return None
    own = tuple(ticks)
    if carried is not None and carried.id == start_ms and not (own and own[0].id == start_ms):
        own = (carried, *own)
    opens_itself = bool(own) and own[0].id == start_ms
    path = own if opens_itself or carried is None else (carried, *own)
    opening = path[0].close if path and path[0].id <= start_ms else None
    reason = _uncovered(path, following, start_ms)
    if reason is None and following is None:
        if now_ms - end_ms < SILENCE_MS_MAX:
            return None
        reason = f"no tick within {SILENCE_MS_MAX // 1000} s after the window"
    carried_in = () if opening is None else (opening,)
    return Evidence(
        start_s=start_ms // 1000,
        end_s=end_ms // 1000,
        covered=reason is None,
        open=opening,
        low=min((*carried_in, *(tick.low for tick in own)), default=None),
        high=max((*carried_in, *(tick.high for tick in own)), default=None),
        close=path[-1].close if path else None,
        tick_count=len(path),
        ticks_sha256=hashlib.sha256(canonical_text(path).encode()).hexdigest(),
        first_tick_id=path[0].id if path else None,
        last_tick_id=path[-1].id if path else None,
        reason=reason,
    )


def result(low_cents: int, high_cents: int, covered: bool, low: int | None, high: int | None) -> Result:
    """Decide a bet on the band by the window's extremes: won if and only if they meet, bounds included.

    This is the rule that the writer pays by; audit and proof ask it again.
    """
    if not covered or low is None or high is None:
        return "void"
    return "won" if low_cents <= high and high_cents >= low else "lost"


def canonical_text(ticks: Sequence[Tick]) -> str:
    r"""Return the text that is hashed: `id,close,low,high\n` for each tick, oldest first, in decimal ASCII."""
    return "".join(f"{tick.id},{tick.close},{tick.low},{tick.high}\n" for tick in ticks)


def _check_order(
    carried: Tick | None, ticks: Sequence[Tick], following: Tick | None, start_ms: int, end_ms: int
) -> None:
    ids = [tick.id for tick in ticks]
    if not start_ms < end_ms:
        raise ValueError(f"window {start_ms} to {end_ms} has no length")
    if any(after <= before for before, after in pairwise(ids)):
        raise ValueError(f"ticks of window {start_ms} are not in rising order")
    if (ids and not start_ms <= ids[0] <= ids[-1] < end_ms) or (carried is not None and carried.id > start_ms):
        raise ValueError(f"ticks given for window {start_ms} to {end_ms} lie outside it")
    if following is not None and following.id < end_ms:
        raise ValueError(f"the tick that follows window {start_ms} to {end_ms} lies before its end")


def _uncovered(path: Sequence[Tick], following: Tick | None, start_ms: int) -> str | None:
    points = path if following is None else (*path, following)
    if points and points[0].id > start_ms:
        return "no tick at or before the window's start"
    for before, after in pairwise(points):
        if after.id - before.id > GAP_MS_MAX:
            return f"{after.id - before.id} ms without a tick after {before.id}"
    return None
