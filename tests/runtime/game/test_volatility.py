"""Volatility is the root of the mean squared move per second, in time-weighted averages."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.ticks import Features
from runtime.game.volatility import Volatility

START = 1_790_000_000_000


def fed(*observations: tuple[int, int]) -> Volatility:
    """Return the volatility after observations of (ms since the start, price)."""
    volatility = Volatility()
    for ms, cents in observations:
        volatility.add(START + ms, cents)
    return volatility


@pytest.mark.parametrize(
    ("observations", "expected"),
    [
        pytest.param([], Features(0.0, 0, 0), id="nothing"),
        pytest.param([(0, 100)], Features(0.0, 0, 0), id="one price"),
        pytest.param([(0, 100), (0, 200)], Features(0.0, 0, 0), id="no time has passed"),
        pytest.param([(0, 100), (1000, 110)], Features(10.0, 1000, 1000), id="10 cents in a second"),
        pytest.param([(0, 100), (250, 110)], Features(20.0, 250, 250), id="10 cents in a quarter of a second"),
        pytest.param([(0, 100), (4000, 80)], Features(10.0, 4000, 4000), id="20 cents down in 4 s"),
        pytest.param([(0, 100), (1000, 100)], Features(0.0, 1000, 1000), id="a price that stands"),
    ],
)
def test_features_are_those_worked_out_by_hand(observations: list[tuple[int, int]], expected: Features) -> None:
    features = fed(*observations).features()
    assert features.volatility == pytest.approx(expected.volatility)
    assert (features.sample_ms, features.history_ms) == (expected.sample_ms, expected.history_ms)


def test_moves_of_nothing_count() -> None:
    still_and_moving = fed(*[(second * 1000, 100 + 10 * (second // 4)) for second in range(241)])
    assert still_and_moving.features().volatility == pytest.approx(5.0, rel=0.02)


def test_several_prices_of_one_millisecond_all_count() -> None:
    features = fed((0, 100), (1000, 103), (1000, 107), (2000, 107)).features()
    # 3 and 4 cents in two seconds: 12.5 cents squared a second, but for the age of the first second.
    assert features.volatility == pytest.approx(math.sqrt(12.5), rel=0.02)
    assert features.sample_ms == pytest.approx(667, abs=5)


def test_many_prices_of_one_millisecond_are_a_sample_of_at_least_one() -> None:
    assert fed(*[(0, 100)] * 5000, (1, 101)).features().sample_ms == 1


def test_a_move_counts_1_in_e_after_a_minute() -> None:
    calm = [(1000 * second, 100) for second in range(1, 601)]
    before = fed((0, 0), *calm).features().volatility ** 2
    after = fed((0, 0), *calm, *[(600_000 + 1000 * second, 100) for second in range(1, 61)]).features().volatility ** 2
    assert after / before == pytest.approx(math.exp(-1), rel=1e-3)


def test_it_finds_the_volatility_of_a_random_walk_at_any_sampling() -> None:
    rng = random.Random(5)
    volatility, price, ms = Volatility(), 9_300_000.0, START
    estimates = []
    for _ in range(20_000):
        step_ms = rng.choice([0, 1, 40, 250, 900])
        price += rng.gauss(0, 300 * math.sqrt(step_ms / 1000))
        ms += step_ms
        volatility.add(ms, round(price))
        estimates.append(volatility.features().volatility ** 2)
    assert math.sqrt(sum(estimates[2000:]) / len(estimates[2000:])) == pytest.approx(300, rel=0.05)


@pytest.mark.parametrize(
    ("gap_ms", "history_ms"),
    [pytest.param(10_000, 70_000, id="10 s are part of the series"), pytest.param(10_001, 0, id="more breaks it")],
)
def test_a_gap_starts_the_series_anew(gap_ms: int, history_ms: int) -> None:
    walked = [(second * 1000, 100 + 10 * (second % 2)) for second in range(61)]
    volatility = fed(*walked, (60_000 + gap_ms, 5000))
    assert volatility.features().history_ms == history_ms


def test_a_leap_over_a_gap_is_no_move() -> None:
    features = fed((0, 100), (1000, 110), (21_000, 90_000), (22_000, 90_020)).features()
    assert replace(features, signals=()) == Features(20.0, 1000, 1000)


def test_a_price_out_of_order_counts_at_the_time_of_the_newest() -> None:
    assert fed((0, 100), (2000, 100), (1000, 110), (4000, 110)).features().history_ms == 4000


observed = st.lists(st.tuples(st.integers(0, 12_000), st.integers(-300, 300)), min_size=2, max_size=60)


@given(observed, st.integers(1, 1000))
def test_volatility_scales_with_the_price_and_not_with_its_level(moves: list[tuple[int, int]], level: int) -> None:
    plain, scaled, ms, cents = Volatility(), Volatility(), START, 1000
    for passed_ms, move_cents in moves:
        ms, cents = ms + passed_ms, cents + move_cents
        plain.add(ms, cents)
        scaled.add(ms, 3 * cents + level)
    assert scaled.features().volatility == pytest.approx(3 * plain.features().volatility)
    assert scaled.features().sample_ms == plain.features().sample_ms


@given(observed)
def test_the_last_minutes_restore_it(moves: list[tuple[int, int]]) -> None:
    whole, restored, ms, cents = Volatility(), Volatility(), START, 1000
    last_900_s = []
    for passed_ms, move_cents in moves * 20:
        ms, cents = ms + passed_ms, cents + move_cents
        whole.add(ms, cents)
        last_900_s.append((ms, cents))
    for one_ms, one_cents in last_900_s:
        if one_ms >= ms - 900_000:
            restored.add(one_ms, one_cents)
    again = restored.features()
    assert again.volatility == pytest.approx(whole.features().volatility, rel=0.01, abs=0.01)
    assert again.history_ms <= whole.features().history_ms
