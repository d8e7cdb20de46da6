"""What a player can know of the price's past at each tick: gaps, jumps, extremes, what is usual at that hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.game.settlement import GAP_MS_MAX
from runtime.game.signals import LEVEL, PAUSE_MS
from taptrade.calibration.days import Day, Flags, Floats, Whole

JUMP = 6.0
"""A move within a second of so many deviations, as they were before it, is a jump."""
EXTREME_MS = 300_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
LONG_AGO_MS = -(10**12)


@dataclass(frozen=True, slots=True)
class Past:
    """One value for each tick of a day."""

    gap_ended_ms: Whole
    jumped_ms: Whole
    moved_ms: Whole
    """When the price was last another one."""
    low: Whole
    high: Whole
    """The extremes of the last five minutes."""
    move_10s: Whole
    usual_level: Floats
    """The median of the signal `level` in the hour before."""

    @classmethod
    def of(cls, day: Day) -> Past:
        """Look back from each tick."""
        ids, close, level = day.ids, day.close, day.signals[:, 0]
        apart_ms = np.diff(ids, prepend=ids[0])
        second_ago = _index_at(ids, ids - 1_000)
        jumped = np.abs(close - close[second_ago]) > JUMP * np.exp(level[second_ago] + LEVEL)
        first = np.searchsorted(ids, ids - EXTREME_MS)
        return cls(
            gap_ended_ms=_latest(ids, (apart_ms > PAUSE_MS) & (apart_ms <= GAP_MS_MAX)),
            jumped_ms=_latest(ids, jumped),
            moved_ms=_latest(ids, np.diff(close, prepend=close[0]) != 0),
            low=-_greatest(-close, first),
            high=_greatest(close, first),
            move_10s=close - close[_index_at(ids, ids - 10_000)],
            usual_level=_usual(ids, level),
        )


def _index_at(ids: Whole, times_ms: Whole) -> Whole:
    return np.maximum(np.searchsorted(ids, times_ms, side="right") - 1, 0)


def _latest(ids: Whole, happened: Flags) -> Whole:
    """Return when it last happened, at each tick."""
    return np.maximum.accumulate(np.where(happened, ids, LONG_AGO_MS))


def _greatest(values: Whole, first: Whole) -> Whole:
    """Return the greatest value from each `first` to its own place, by a table of stretches that double in length."""
    positions = np.arange(len(values))
    longest = int(np.max(positions - first)) + 1
    found, table, length = values.copy(), values, 1
    while length <= longest:
        fits = positions - first + 1 >= length
        last_start = np.maximum(positions - length + 1, 0)
        found = np.where(fits, np.maximum(table[first], table[last_start]), found)
        shifted = np.concatenate([table[length:], table[-1:].repeat(min(length, len(table)))])[: len(table)]
        table, length = np.maximum(table, shifted), 2 * length
    return found


def _usual(ids: Whole, level: Floats) -> Floats:
    """Return the median of the hour before, from one value a minute; in the first hour of what there is."""
    minutes = (ids - ids[0]) // MINUTE_MS
    seen, first = np.unique(minutes, return_index=True)
    values = level[first]
    span = HOUR_MS // MINUTE_MS
    medians = [
        np.median(values[np.searchsorted(seen, minute - span) : count + 1])
        for count, minute in enumerate(seen.tolist())
    ]
    found: Floats = np.array(medians, dtype=float)[np.searchsorted(seen, minutes)]
    return found
