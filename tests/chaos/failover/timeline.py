"""How long each fault kept bets from being answered, by what players saw and by who was at work."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

NOTICED_S = 1.0
"""Bets come many times a second: a silence that is shorter than this is none."""


@dataclass(slots=True)
class Fault:
    """One fault, in Unix milliseconds, from its beginning to the next one's."""

    kind: str
    began_ms: int
    mended_ms: int = 0
    ended_ms: int = 0
    detected_ms: int = 0
    """When the writer at work, or the primary, first gave no sign or was another; 0 if that never was."""
    taken_ms: int = 0
    """When another writer, or a writer with another beginning, first gave its sign; 0 if none did."""
    silence_s: float = 0.0
    """The longest time without a bet that was answered."""
    again_s: float = 0.0
    """From the fault to the first bet that was answered after that."""
    resumed_s: float = 0.0
    """From the mending to the first bet that was answered after that silence, 0 if it ended before."""
    in_doubt: int = 0
    """Commits that are stored, with a bet whose player was not answered so at first."""
    unshared: int = 0
    """Commits that a superseded primary had, and the surviving one has not."""


@dataclass(frozen=True, slots=True)
class Times:
    """What the faults of one kind, or all, took, in seconds."""

    number: int
    again: tuple[float, float]
    """Median and worst."""
    detected: tuple[float, float] | None
    taken: tuple[float, float] | None
    """From the detection to another writer at work."""
    resumed: tuple[float, float]
    in_doubt: int
    with_doubt: int
    """How many of the faults left commits in doubt."""
    unshared: int


def measure(faults: Sequence[Fault], answered_ms: Sequence[int]) -> None:
    """Find each fault's longest silence; `answered_ms` is when each bet was answered 201, in order."""
    for fault in faults:
        first = bisect_left(answered_ms, fault.began_ms)
        within = answered_ms[first : bisect_left(answered_ms, fault.ended_ms)]
        marks = [fault.began_ms, *within, *([] if within else [fault.ended_ms])]
        longest, end = max((later - earlier, later) for earlier, later in pairwise(marks))
        fault.silence_s = longest / 1000
        if fault.silence_s >= NOTICED_S:
            fault.again_s = (end - fault.began_ms) / 1000
            fault.resumed_s = max(0, end - fault.mended_ms) / 1000


def times_of(faults: Sequence[Fault]) -> Times:
    """Sum up faults; a kind that nobody had to take over for has no times of that."""
    detected = [(fault.detected_ms - fault.began_ms) / 1000 for fault in faults if fault.detected_ms]
    taken = [(fault.taken_ms - fault.detected_ms) / 1000 for fault in faults if fault.taken_ms and fault.detected_ms]
    again, resumed = [fault.again_s for fault in faults], [fault.resumed_s for fault in faults]
    return Times(
        len(faults),
        (median(again), max(again)),
        (median(detected), max(detected)) if detected else None,
        (median(taken), max(taken)) if taken else None,
        (median(resumed), max(resumed)),
        sum(fault.in_doubt for fault in faults),
        sum(fault.in_doubt > 0 for fault in faults),
        sum(fault.unshared for fault in faults),
    )
