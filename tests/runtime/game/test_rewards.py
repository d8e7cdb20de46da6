"""Rates: the touch probability against simulation and integration, what is offered, and loading a model."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.grid import Cell, GridRules
from runtime.game.rewards import (
    RATE_BP_MAX,
    RATE_BP_MIN,
    BrownianTouch,
    touch_probability,
)
from runtime.game.ticks import Features
from tests.runtime.game.prices import FEATURES, tick

RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
START_S = 1_790_000_000
NOW = START_S * 1000
PRICE = 9_300_250
MODEL = BrownianTouch(RULES, 500)


def cell(columns_ahead: int = 2, rows_up: int = 0) -> Cell:
    """Return a cell some columns ahead of now and some rows above the price."""
    low_cents = 9_300_000 + 500 * rows_up
    return Cell(START_S + 5 * columns_ahead, low_cents, low_cents + 500)


def walked_windows(volatility: float, opens_s: float, closes_s: float, sample_s: float) -> list[tuple[float, float]]:
    """Return window lows and highs of random walks from zero, observed at a random phase, as settlement sees them."""
    rng = random.Random(7)
    step = volatility * math.sqrt(sample_s)
    windows = []
    for _ in range(20_000):
        age_s = rng.random() * sample_s
        carried = int((opens_s + age_s) / sample_s)
        price = low = high = rng.gauss(0, step * math.sqrt(carried))
        for observation in range(carried + 1, int((closes_s + age_s) / sample_s) + 2):
            if observation * sample_s - age_s >= closes_s:
                break
            price += rng.gauss(0, step)
            low, high = min(low, price), max(high, price)
        windows.append((low, high))
    return windows


@pytest.mark.parametrize(
    ("volatility", "opens_s", "closes_s", "sample_s"),
    [
        pytest.param(300, 7, 12, 0.33, id="first column"),
        pytest.param(300, 55, 60, 0.33, id="last column"),
        pytest.param(300, 10, 15, 1.0, id="sparse prices"),
        pytest.param(300, 10, 15, 0.1, id="dense prices"),
        pytest.param(300, 1.5, 2.5, 0.2, id="columns of a second"),
    ],
)
def test_probability_is_the_share_of_simulated_paths(
    volatility: float, opens_s: float, closes_s: float, sample_s: float
) -> None:
    windows = walked_windows(volatility, opens_s, closes_s, sample_s)
    for low_cents in (-2000, -750, -250, 0, 500, 1250):
        share = sum(low_cents <= high and low_cents + 500 >= low for low, high in windows) / len(windows)
        priced = touch_probability(
            0, low_cents, low_cents + 500, volatility=volatility, opens_s=opens_s, closes_s=closes_s, sample_s=sample_s
        )
        error = math.sqrt(priced * (1 - priced) / len(windows))
        assert share == pytest.approx(priced, abs=4 * error + 0.003)


def integrated(low: float, high: float, volatility: float, opens_s: float, closes_s: float) -> float:
    """Return the touch probability of a continuous path from zero, summed over the price when the window opens."""
    spread, reach = volatility * math.sqrt(opens_s), volatility * math.sqrt(closes_s - opens_s)
    count, total = 100_000, 0.0
    for index in range(count):
        z = -8 + 16 * (index + 0.5) / count
        at = spread * z
        away = max(low - at, at - high, 0.0)
        total += math.exp(-z * z / 2) * math.erfc(away / reach / math.sqrt(2))
    return total * 16 / count / math.sqrt(2 * math.pi)


@pytest.mark.parametrize(
    ("low", "high", "volatility", "opens_s", "closes_s"),
    [
        pytest.param(0, 500, 300, 7, 12, id="around the price"),
        pytest.param(1000, 1500, 300, 7, 12, id="above"),
        pytest.param(-9000, -8500, 300, 55, 60, id="far below"),
        pytest.param(1000, 1500, 20, 7, 12, id="out of reach"),
        pytest.param(0, 500, 5000, 7, 12, id="wild market"),
        pytest.param(400, 900, 300, 0.05, 60, id="a long window that opens at once"),
        pytest.param(400, 900, 300, 600, 600.5, id="a short window far ahead"),
    ],
)
def test_quadrature_is_exact(low: float, high: float, volatility: float, opens_s: float, closes_s: float) -> None:
    priced = touch_probability(0, low, high, volatility=volatility, opens_s=opens_s, closes_s=closes_s, sample_s=0)
    assert priced == pytest.approx(integrated(low, high, volatility, opens_s, closes_s), abs=1e-7)


volatilities = st.floats(1, 5000)
waits_s = st.floats(0.001, 600)
windows_s = st.floats(0.5, 60)
samples_s = st.floats(0, 3)
distances = st.integers(-20_000, 20_000)
heights = st.integers(1, 3000)


@given(st.tuples(distances, heights), volatilities, waits_s, windows_s, samples_s)
def test_probability_is_within_its_bounds_and_the_same_on_both_sides(
    band: tuple[int, int], volatility: float, opens_s: float, window_s: float, sample_s: float
) -> None:
    low, height = band

    def priced(low_cents: float, high_cents: float, wait_s: float = window_s, sampled_s: float = sample_s) -> float:
        return touch_probability(
            0,
            low_cents,
            high_cents,
            volatility=volatility,
            opens_s=opens_s,
            closes_s=opens_s + wait_s,
            sample_s=sampled_s,
        )

    slack = 2e-8
    probability = priced(low, low + height)
    assert 0 <= probability <= 1
    assert probability == pytest.approx(priced(-low - height, -low), abs=slack)
    assert priced(low - 10, low + height + 10) >= probability - slack, "a higher band is touched more often"
    assert priced(low, low + height, wait_s=window_s * 1.5) >= probability - slack, "so is one of a longer window"
    assert priced(low, low + height, sampled_s=sample_s + 1) <= probability + slack, "rarer prices touch less"
    assert priced(low, low + height, sampled_s=0) >= probability - slack
    further = priced(low + 10, low + height + 10) if 2 * low + height >= 0 else priced(low - 10, low + height - 10)
    assert further <= probability + slack, "a band further from the price is touched less often"


@pytest.mark.parametrize(
    ("features", "now_ms", "rows_up"),
    [
        pytest.param(replace(FEATURES, history_ms=59_999), NOW, 0, id="series shorter than a minute"),
        pytest.param(replace(FEATURES, volatility=0.0), NOW, 0, id="price that never moved"),
        pytest.param(replace(FEATURES, volatility=-1.0), NOW, 0, id="volatility below zero"),
        pytest.param(replace(FEATURES, volatility=math.nan), NOW, 0, id="volatility that is no number"),
        pytest.param(replace(FEATURES, volatility=math.inf), NOW, 0, id="endless volatility"),
        pytest.param(FEATURES, NOW + 10_000, 0, id="window that has just begun"),
        pytest.param(FEATURES, NOW + 60_000, 0, id="window that has passed"),
        pytest.param(FEATURES, NOW, 30, id="rarer than the cap"),
        pytest.param(FEATURES, NOW, -30, id="rarer than the cap, below"),
        pytest.param(FEATURES, NOW, 8_000, id="beyond any price"),
        pytest.param(replace(FEATURES, volatility=20.0), NOW, 0, id="surer than the floor"),
    ],
)
def test_a_cell_without_a_fair_rate_within_bounds_is_not_offered(features: Features, now_ms: int, rows_up: int) -> None:
    assert MODEL.rate_bp(cell(2, rows_up), tick(NOW, PRICE, features=features), now_ms) is None


@pytest.mark.parametrize(
    ("columns_ahead", "rows_up", "rate_bp"),
    [
        pytest.param(2, 0, 19_174, id="the price's row, first column"),
        pytest.param(2, 1, 21_232, id="a row up"),
        pytest.param(2, -1, 21_232, id="a row down pays the same"),
        pytest.param(2, 5, 235_381, id="five rows up"),
        pytest.param(12, 0, 41_317, id="the price's row, last column"),
        pytest.param(12, 10, 363_567, id="ten rows up, last column"),
    ],
)
def test_rates_stay_what_they_are(columns_ahead: int, rows_up: int, rate_bp: int) -> None:
    assert MODEL.rate_bp(cell(columns_ahead, rows_up), tick(NOW, PRICE), NOW) == rate_bp


@given(
    st.builds(cell, st.integers(1, 60), st.integers(-40, 40)),
    st.integers(9_300_000, 9_300_499),
    st.builds(Features, volatilities, st.integers(0, 3000), st.just(60_000)),
    st.integers(-5_000, 4_999),
    st.integers(0, 5000),
)
def test_an_offered_rate_is_in_its_range_and_leaves_the_edge(
    one: Cell, price_cents: int, features: Features, ms: int, edge_bp: int
) -> None:
    newest = tick(NOW, price_cents, features=features)
    rate_bp = BrownianTouch(RULES, edge_bp).rate_bp(one, newest, NOW + ms)
    assert rate_bp == BrownianTouch(RULES, edge_bp).rate_bp(one, newest, NOW + ms)
    opens_s = (one.start_s * 1000 - NOW - ms) / 1000
    if opens_s <= 0:
        assert rate_bp is None
        return
    probability = touch_probability(
        newest.close,
        one.low_cents,
        one.high_cents,
        volatility=features.volatility,
        opens_s=opens_s,
        closes_s=opens_s + 5,
        sample_s=features.sample_ms / 1000,
    )
    if rate_bp is None:
        fair_bp = (10_000 - edge_bp) / probability if probability else math.inf
        assert not RATE_BP_MIN <= fair_bp <= RATE_BP_MAX
    else:
        assert RATE_BP_MIN <= rate_bp <= RATE_BP_MAX
        assert rate_bp * probability <= 10_000 - edge_bp < (rate_bp + 2) * probability


@pytest.mark.parametrize("edge_bp", [-1, 10_000])
def test_an_edge_that_is_none_is_refused(edge_bp: int) -> None:
    with pytest.raises(ValueError, match="house edge"):
        BrownianTouch(RULES, edge_bp)
