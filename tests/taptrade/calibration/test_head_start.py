"""The player who sees prices ahead: paid while fills are at once, not after a wait; and how taps are filled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from runtime.game.grid import Cell
from taptrade.calibration.adversary import Attack, attack, examples_of
from taptrade.calibration.cells import Cells
from taptrade.calibration.days import Day
from taptrade.calibration.head_start import FLOOR, TAPS, HeadStart, head_starts
from taptrade.calibration.moments import moments_of
from tests.taptrade.calibration.walks import RULES, START_MS, calm, day_of, document, priced, unheard


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return day_of(tmp_path_factory.mktemp("day") / "day.csv", calm(7, 4.0))


@pytest.fixture(scope="module")
def starts(day: Day) -> dict[tuple[int, float | None, float], HeadStart]:
    pricer, network = priced()
    moments = moments_of(day, RULES, 1_000, 4)
    found = head_starts([(moments, pricer, network)], 0.95, 500, unheard, 1)
    return {(each.fill_delay_ms, each.floor, each.estimate): each for each in found}


def test_seeing_ahead_pays_where_fills_are_at_once(starts: dict[tuple[int, float | None, float], HeadStart]) -> None:
    at_once = starts[0, None, 1.3]
    assert at_once.taps == TAPS
    assert at_once.filled.low is not None
    assert at_once.filled.low > 1


def test_a_wait_takes_it_away(starts: dict[tuple[int, float | None, float], HeadStart]) -> None:
    at_once, later = (starts[delay, None, 2.0].filled for delay in (0, 500))
    assert at_once.value is not None
    assert later.value is not None
    assert later.high is not None
    assert later.value < 0.7 * at_once.value
    assert later.high < at_once.value


def test_a_floor_refuses_most_of_them(starts: dict[tuple[int, float | None, float], HeadStart]) -> None:
    assert starts[500, FLOOR, 1.3].filled.bets < 0.3 * starts[500, None, 1.3].filled.bets
    assert starts[0, FLOOR, 1.3].filled == starts[0, None, 1.3].filled


def test_each_cell_is_priced_as_the_model_prices_it(day: Day) -> None:
    pricer, _ = priced()
    random = np.random.default_rng(2)
    ticks = random.integers(0, len(day.ids), 400)
    now_ms = day.ids[ticks] + random.integers(0, 1_000, 400)
    start_s = now_ms // 5_000 * 5 + 5 * random.integers(-1, 14, 400)
    cells = Cells(day, RULES, ticks, now_ms, start_s, day.close[ticks] // 500 * 500 + 500 * random.integers(-8, 9, 400))
    rates = pricer.cell_rates_bp(cells)
    own = []
    for row in range(400):
        low = int(cells.low_cents[row])
        cell = Cell(int(start_s[row]), low, low + 500)
        own.append(pricer._model.rate_bp(cell, day.tick(int(ticks[row])), int(now_ms[row])) or 0)
    assert np.abs(rates - own).max() <= 1
    assert 0 < np.count_nonzero(rates) < 400


@pytest.mark.integration  # the first use of trees counts the cores by a process
def test_an_adversary_bets_where_a_model_pays_too_much(
    tmp_path: Path, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taptrade.calibration.adversary.ROWS_MAX", 30_000)
    other = day_of(tmp_path / "other.csv", calm(8, 2.0), START_MS + 86_400_000)

    def found(doubt_bp: int) -> Attack:
        offered = document()["offered"] | {"rates_bp": [[10_500, 1_000_001, doubt_bp]]}
        pricer, network = priced(offered=offered)
        train, judge = ((moments_of(each, RULES, 4_000, 5), pricer, network) for each in (other, day))
        with threadpool_limits(1):
            return attack([([train], [judge])], 0.95, unheard, 1)

    generous, mean = found(-3_000), found(3_000)
    assert generous.estimate.value is not None
    assert generous.estimate.value > 1.1
    assert mean.by_threshold[0][1] < 0.5 * generous.by_threshold[0][1]


def test_the_adversary_draws_offered_cells_alone(day: Day) -> None:
    pricer, network = priced()
    moments = moments_of(day, RULES, 30_000, 6)
    found = examples_of([(moments, pricer, network)], 0.95, 1)
    assert len(found.rates) == len(found.inputs) == len(found.touched)
    assert (found.rates > 1).all()
    assert found.probability * found.rates == pytest.approx(np.full(len(found.rates), 0.95), abs=0.002)
