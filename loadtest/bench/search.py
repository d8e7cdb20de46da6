"""The search for the highest rate that is carried: which one to measure next, and what to believe of repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtest.bench.results import Rate

CLIMB = 500
"""How far to go up while nothing has failed yet, bets a second."""
STEP = 100
"""How exactly the highest rate is found."""
REPEATS = 3


def next_rate(known: Mapping[int, bool], start: int) -> int | None:
    """Return the rate to measure next, None once the highest carried one is known to the STEP.

    `known` says of each measured rate whether it was carried. A rate that fails below one that is carried was bad
    luck of the moment, not a limit.
    """
    highest = highest_of(known)
    failed = min((rate for rate, carried in known.items() if not carried and rate > highest), default=None)
    if failed is None:
        return highest + CLIMB if highest else start
    if failed - highest <= STEP:
        return None
    middle = (highest + failed) // 2 // STEP * STEP
    return middle if middle > highest else highest + STEP


def highest_of(known: Mapping[int, bool]) -> int:
    """Return the highest carried rate, 0 if there is none."""
    return max((rate for rate, carried in known.items() if carried), default=0)


def middle_of(repeats: Sequence[Rate]) -> Rate:
    """Return the repeat with the median p99; one that is not carried counts as slower than any that is."""
    ordered = sorted(repeats, key=lambda rate: (not rate.is_carried, rate.p99_ms))
    return ordered[len(ordered) // 2]


def at_rate(measured: Sequence[Rate], rate: int) -> Rate:
    """Return the measurement of a rate, of several the median; the first of all if that rate is not among them."""
    return middle_of([one for one in measured if one.rate == rate] or measured[:1])
