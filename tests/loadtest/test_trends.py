"""Trend lines: slopes, their errors, and what counts as growth."""

from __future__ import annotations

from random import Random

import pytest

from loadtest.soak import HOUR_S, slope, trend, verdict

TOLERANCE = (0.05, 4.0)
TIMES_S = [5.0 * index for index in range(360)]


def test_slope_of_a_line_is_exact() -> None:
    rise, error = slope(TIMES_S, [3.0 + 0.25 * at_s for at_s in TIMES_S])
    assert rise == pytest.approx(0.25)
    assert error == pytest.approx(0.0, abs=1e-9)


def test_error_is_that_of_the_textbook() -> None:
    # y = 1, 3, 2, 4 at 0..3: slope 0.8, residuals -0.3, 0.9, -0.9, 0.3, so 1.8 / 2 / 5 under the root.
    assert slope([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0]) == pytest.approx((0.8, 0.18**0.5))


@pytest.mark.parametrize("times_s", [[], [1.0], [1.0, 2.0], [1.0, 1.0, 1.0]])
def test_too_little_has_no_slope(times_s: list[float]) -> None:
    assert slope(times_s, times_s) == (0.0, 0.0)


def test_tolerance_is_a_share_and_never_below_the_least() -> None:
    assert trend("memory", TIMES_S, [1_000.0] * len(TIMES_S), TOLERANCE)["tolerance_per_h"] == 50.0
    assert trend("memory", TIMES_S, [10.0] * len(TIMES_S), TOLERANCE)["tolerance_per_h"] == 4.0


@pytest.mark.parametrize(
    ("per_h", "error", "expected"),
    [(3.9, 0.1, "flat"), (40.0, 20.0, "flat"), (40.0, 1.0, "growing"), (-40.0, 1.0, "falling")],
)
def test_verdict_needs_more_than_tolerance_and_chance(per_h: float, error: float, expected: str) -> None:
    assert verdict(per_h, error, 4.0) == expected


def test_only_the_second_half_is_judged() -> None:
    values = [min(at_s, 900.0) for at_s in TIMES_S]
    found = trend("memory", TIMES_S, values, TOLERANCE, 600.0)
    assert found["verdict"] == "flat"
    assert found["last"] == found["greatest"] == 900.0
    assert found["first"] < 100.0


def test_a_leak_is_seen_through_noise() -> None:
    rng = Random(1)
    leak = [100.0 + 30.0 * at_s / HOUR_S + rng.gauss(0.0, 1.0) for at_s in TIMES_S]
    assert trend("memory", TIMES_S, leak, TOLERANCE, 600.0)["verdict"] == "growing"


def test_a_sawtooth_is_flat() -> None:
    log = [float(index * 7 % 64) for index in range(len(TIMES_S))]
    assert trend("log", TIMES_S, log, TOLERANCE, 600.0)["verdict"] == "flat"


def test_a_short_run_is_not_judged() -> None:
    assert trend("memory", TIMES_S, TIMES_S, TOLERANCE, 3_600.0)["verdict"] == "too short"
