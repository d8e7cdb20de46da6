"""The mixture model: even, monotone, pure, never above 1 - edge by its own lights, and offered only where it may be."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.game.grid import Cell, GridRules, placeable_columns, shown_rows
from runtime.game.mixture import (
    RECALIBRATION_MAX,
    MixtureTouch,
    column_inputs,
    recalibrated,
    touch_probability,
    whole_rate_bp,
)
from runtime.game.signals import DIRECTIONS, LEVELS, NAMES, Signals
from runtime.game.ticks import Features, Tick
from runtime.market.models import OF_THE_REPLAY

RULES = GridRules(5, 12, 500, 20)
START = 1_790_000_000_000
CLOSE = 12_000_000


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The shipped model's numbers, offered everywhere."""
    found: dict[str, Any] = json.loads(OF_THE_REPLAY.read_bytes())
    everywhere = {"rates_bp": [[10_500, 1_000_001, 100]], "columns": list(range(2, 13)), "levels": [[-99, 99]]}
    return found | {"offered": everywhere}


@pytest.fixture
def model(document: dict[str, Any]) -> MixtureTouch:
    return MixtureTouch(document, RULES, 500)


def moved(seed: int, sign: int = 1) -> Tick:
    """Return the tick after ten minutes of a random walk that ends at CLOSE."""
    random, prices = Random(seed), [0]
    for _ in range(600):
        prices.append(prices[-1] + random.choice((0, 0, 300, -300, 1_500, -1_500)))
    signals = Signals()
    for second, cents in enumerate(prices):
        signals.add(START + 1000 * second, CLOSE + sign * (cents - prices[-1]))
    now_ms = START + 600_000
    return Tick(now_ms, now_ms, CLOSE, CLOSE, CLOSE, "test", Features(300.0, 1000, 600_000, signals.values()))


def cell(tick: Tick, low_cents: int, columns_ahead: int = 4) -> Cell:
    return Cell(tick.id // 5000 * 5 + 5 * columns_ahead, CLOSE + low_cents, CLOSE + low_cents + 500)


def grid_of(model: MixtureTouch, tick: Tick, now_ms: int) -> dict[Cell, int | None]:
    cells = [
        Cell(start, low, low + 500) for start in placeable_columns(now_ms, RULES) for low in shown_rows(CLOSE, RULES)
    ]
    return {each: model.rate_bp(each, tick, now_ms) for each in cells}


@pytest.mark.parametrize("seed", range(8))
def test_a_mirrored_price_gives_the_mirrored_rates(model: MixtureTouch, seed: int) -> None:
    plain, mirrored = moved(seed), moved(seed, sign=-1)
    for low in (-6_000, -2_500, -500, 0, 1_500, 4_000):
        up = model.rate_bp(cell(plain, low), plain, plain.id)
        assert up is not None
        assert model.rate_bp(cell(mirrored, -low - 500), mirrored, mirrored.id) == pytest.approx(up, abs=1)


@pytest.mark.parametrize("seed", range(8))
def test_away_from_the_price_rates_rise(model: MixtureTouch, seed: int) -> None:
    tick = moved(seed)
    for ahead in (2, 5, 12):
        for away in (1, -1):
            rates = [model.rate_bp(cell(tick, away * low, ahead), tick, tick.id) for low in range(10_000, 60_000, 500)]
            offered = [rate for rate in rates if rate is not None]
            assert len(set(offered)) >= 6, "enough of them to rise"
            assert offered == sorted(offered)
            assert rates[: len(offered)] == offered, "no rate beyond one that is too rare"


components = st.tuples(st.floats(0.01, 0.5), st.floats(1e-4, 1e-2), st.floats(-3, 3), st.floats(0, 3)).map(
    lambda each: (each[0], each[1], each[2] - each[3], each[2] + each[3])
)


@given(st.lists(components, min_size=1, max_size=3), st.integers(0, 50_000))
def test_beyond_all_drifts_the_probability_falls(parts: list[tuple[float, float, float, float]], low: int) -> None:
    # The middle of a part: where its argument is as far below zero at the low bound as above it at the high one.
    beyond = max(0, *(math.ceil(-(at_low + at_high) / (2 * slope)) for _, slope, at_low, at_high in parts)) + low
    near, far = touch_probability(parts, beyond, beyond + 500), touch_probability(parts, beyond + 500, beyond + 1_000)
    assert far <= near + 1e-12


@given(st.floats(1e-6, 0.9999), st.integers(5_000, 9_900))
def test_a_rate_pays_all_that_may_be_returned_and_no_more(probability: float, returned_bp: int) -> None:
    rate_bp = whole_rate_bp(probability, returned_bp)
    if rate_bp:
        assert rate_bp * probability <= returned_bp < (rate_bp + 1) * probability * (1 + 1e-12)
        assert 10_500 <= rate_bp <= 1_000_000
    else:
        assert not 10_501 <= returned_bp / probability <= 999_999


@pytest.mark.parametrize("numbers", list(product((-RECALIBRATION_MAX, RECALIBRATION_MAX), repeat=4)))
@pytest.mark.parametrize("opens_s", [5.0, 60.0])
def test_the_recalibration_rises_everywhere(numbers: tuple[float, ...], opens_s: float) -> None:
    taken = [recalibrated(step / 2_000, opens_s, numbers) for step in range(1, 2_000)]
    assert taken == sorted(taken)
    assert recalibrated(0.9999, opens_s, numbers) == pytest.approx(0.9999, abs=1e-4)


def test_it_is_a_pure_function_whatever_was_asked_before(document: dict[str, Any], model: MixtureTouch) -> None:
    ticks = [moved(seed) for seed in range(3)]
    asked = [(tick, tick.id + wait) for wait in (0, 100) for tick in ticks]
    together = [grid_of(model, tick, now_ms) for tick, now_ms in asked]
    assert together == [grid_of(MixtureTouch(document, RULES, 500), tick, now_ms) for tick, now_ms in asked]
    assert len({tuple(each.values()) for each in together}) == len(asked)


def test_a_higher_edge_pays_less(document: dict[str, Any], model: MixtureTouch) -> None:
    tick = moved(1)
    dear = MixtureTouch(document, RULES, 1_000)
    for low in (0, 2_500):
        usual, less = model.rate_bp(cell(tick, low), tick, tick.id), dear.rate_bp(cell(tick, low), tick, tick.id)
        assert usual is not None
        assert less is not None
        assert less < usual
    assert dear.version != model.version


@pytest.mark.parametrize(
    "features",
    [
        pytest.param(lambda found: replace(found, history_ms=59_999), id="too short a history"),
        pytest.param(lambda found: replace(found, signals=()), id="a tick from before there were signals"),
        pytest.param(lambda found: replace(found, signals=found.signals[:-1]), id="other signals"),
    ],
)
def test_no_rate_without_what_it_takes(model: MixtureTouch, features: Callable[[Features], Features]) -> None:
    tick = moved(1)
    poor = replace(tick, features=features(tick.features))
    assert model.rate_bp(cell(tick, 0), tick, tick.id) is not None
    assert model.rate_bp(cell(poor, 0), poor, poor.id) is None


@pytest.mark.parametrize("late_ms", [0, 1, 5_000])
def test_no_rate_once_the_window_has_begun(model: MixtureTouch, late_ms: int) -> None:
    tick = moved(1)
    opened = cell(tick, 0)
    assert model.rate_bp(opened, tick, opened.start_s * 1000 + late_ms) is None


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        pytest.param({"columns": [2, 3, 5]}, False, id="another column"),
        pytest.param({"columns": [4]}, True, id="its column"),
        pytest.param({"levels": []}, False, id="no level"),
        pytest.param({"levels": [[-99, -50], [50, 99]]}, False, id="wilder and calmer ones"),
        pytest.param({"rates_bp": [[10_500, 11_000, 100]]}, False, id="other rates"),
        pytest.param({"rates_bp": [[10_500, 11_000, 100], [11_000, 1_000_001, 100]]}, True, id="its rate"),
    ],
)
def test_it_offers_where_the_evidence_allows(document: dict[str, Any], offered: dict[str, Any], kept: bool) -> None:
    narrow = MixtureTouch(document | {"offered": document["offered"] | offered}, RULES, 500)
    tick = moved(2)
    assert (narrow.rate_bp(cell(tick, 1_000), tick, tick.id) is not None) is kept


def bent(document: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    """Return the document with one value replaced."""
    found = copy.deepcopy(document)
    inside: Any = found
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        pytest.param(("grid",), {"column_seconds": 10, "row_step_cents": 500}, "fitted for the grid", id="columns"),
        pytest.param(("grid",), {"column_seconds": 5, "row_step_cents": 1_000}, "fitted for the grid", id="rows"),
        pytest.param(("signals",), list(NAMES[1:]), "other signals", id="signals"),
        pytest.param(("recalibration",), [0.0, 0.0, 0.0, 0.5], "too strong", id="strong recalibration"),
        pytest.param(("recalibration",), [0.0, 0.0, 0.0, math.nan], "too strong", id="no number"),
        pytest.param(("offered", "rates_bp", 0), [10_500, 20_000, 9_500], "nothing to pay", id="nothing is left"),
        pytest.param(("weights", "hidden", 0), [1.0], "fit together", id="a short row"),
        pytest.param(("weights", "out_bias", 0), math.inf, "finite", id="infinite"),
        pytest.param(("weights", "deviation", 0), 0.0, "above zero", id="a deviation of zero"),
        pytest.param(("weights", "out"), [], "fit together", id="no outputs"),
    ],
)
def test_numbers_that_make_no_model_are_refused(
    document: dict[str, Any], path: tuple[str | int, ...], value: Any, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        MixtureTouch(bent(document, *path, value=value), RULES, 500)


@pytest.mark.parametrize(
    ("opens_s", "pauses", "expected"),
    [
        pytest.param(16.0, (0.0, 0.0, 0.0), (2.0, 2.0, 0.0, 0.0), id="none known"),
        pytest.param(16.0, (50_000, 36_000, 6_000), (2.0, 2.0, 0.0, 0.0), id="overdue"),
        pytest.param(10.0, (10_000, 36_000, 6_000), (1.4, 1.4, 1.0, 0.0), id="far from the next one"),
        pytest.param(20.0, (10_000, 36_000, 6_000), (0.0, 1.4, 1.0, 1.0), id="as the next one begins"),
        pytest.param(23.0, (10_000, 36_000, 6_000), (-0.6, 1.4, 1.0, 1.0), id="within it"),
        pytest.param(27.0, (10_000, 36_000, 6_000), (1.4, 0.2, 1.0, 0.0), id="just after it"),
    ],
)
def test_a_column_knows_how_it_lies_to_the_next_pause(
    opens_s: float, pauses: tuple[float, float, float], expected: tuple[float, ...]
) -> None:
    assert column_inputs(opens_s, *pauses)[2:] == pytest.approx(expected)


def test_signals_have_the_names_that_models_are_fitted_on(document: dict[str, Any]) -> None:
    assert document["signals"] == list(NAMES)
    assert len(NAMES) == len(LEVELS) + len(DIRECTIONS) + 3
