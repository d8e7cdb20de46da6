"""Trend lines: the slope of a series by least squares, and whether it counts as growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression
from typing import Literal

from msgspec import Struct

Verdict = Literal["flat", "growing", "falling", "too short"]
ERRORS_BEYOND = 3.0
"""A slope counts when it is so many times its standard error: a sawtooth cut off somewhere has a slope too."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The slope an hour that still counts as flat: a share of the mean, or an amount where that is more."""

    share: float
    least: float

    def of(self, mean: float) -> float:
        """Return the tolerated change an hour of a series with this mean."""
        return max(self.share * abs(mean), self.least)


class Trend(Struct):
    """One series: its mean early and late, its slope over the second half, and what that means."""

    name: str
    first: float
    """Mean of the first tenth."""
    last: float
    """Mean of the last tenth."""
    greatest: float
    slope_per_h: float
    error_per_h: float
    tolerance_per_h: float
    verdict: Verdict


def slope(times_s: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return the least-squares slope a second and its standard error."""
    if len(times_s) < 3 or len(set(times_s)) < 2:
        return 0.0, 0.0
    rise, start = linear_regression(times_s, values)
    left = sum((value - start - rise * at_s) ** 2 for at_s, value in zip(times_s, values, strict=True))
    mean_s = fmean(times_s)
    spread = sum((at_s - mean_s) ** 2 for at_s in times_s)
    return rise, float((left / (len(times_s) - 2) / spread) ** 0.5)


def trend(
    name: str, times_s: Sequence[float], values: Sequence[float], tolerance: Tolerance, shortest_s: float
) -> Trend:
    """Judge one series by its second half; a run below `shortest_s` has not come to rest and is not judged."""
    half = len(times_s) // 2
    rise, error = slope(times_s[half:], values[half:])
    per_h, error_per_h = rise * HOUR_S, error * HOUR_S
    allowed = tolerance.of(fmean(values[half:]))
    tenth = max(len(values) // 10, 1)
    length_s = times_s[-1] - times_s[0]
    return Trend(
        name=name,
        first=round(fmean(values[:tenth]), 2),
        last=round(fmean(values[-tenth:]), 2),
        greatest=round(max(values), 2),
        slope_per_h=round(per_h, 2),
        error_per_h=round(error_per_h, 2),
        tolerance_per_h=round(allowed, 2),
        verdict="too short" if length_s < shortest_s else verdict(per_h, error_per_h, allowed),
    )


def verdict(per_h: float, error_per_h: float, allowed: float) -> Verdict:
    """Tell whether a slope is beyond what is tolerated, and beyond chance."""
    if abs(per_h) <= allowed or abs(per_h) <= ERRORS_BEYOND * error_per_h:
        return "flat"
    return "growing" if per_h > 0 else "falling"
