"""The fixed rules and what they look back on, against what plain loops say."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.game.grid import placeable_columns, shown_rows
from taptrade.calibration.days import Day, Flags, read_day
from taptrade.calibration.moments import Moments, moments_of
from taptrade.calibration.past import EXTREME_MS, Past
from taptrade.calibration.rules import RULES as RULES_OF_PLAY
from taptrade.calibration.rules import Board
from tests.taptrade.calibration.walks import RULES, START_MS, priced, unheard, wild, write_day


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Return half an hour with a gap of 5 s in it."""
    path = write_day(tmp_path_factory.mktemp("day") / "day.csv", wild(5, 0.5))
    rows = path.read_text().splitlines()
    path.write_text("\n".join(rows[:1000] + rows[1004:]) + "\n")
    return read_day(path, RULES, unheard)


@pytest.fixture(scope="module")
def board(day: Day) -> Board:
    moments = moments_of(day, RULES, 7_000, 3)
    pricer, _ = priced()
    return Board.of(moments, pricer.rates_bp(moments), Past.of(day))


def test_moments_show_the_grid_that_the_house_shows(board: Board) -> None:
    moments: Moments = board.moments
    for row in range(0, len(moments), 29):
        now_ms = int(moments.now_ms[row])
        assert moments.starts_s[row].tolist() == list(placeable_columns(now_ms, RULES))
        assert moments.lows[row].tolist() == shown_rows(int(moments.close[row]), RULES)


def test_extremes_are_those_of_the_last_five_minutes(day: Day) -> None:
    past = Past.of(day)
    for tick in (0, 1, 5, 299, 301, 700, len(day.ids) - 1):
        recent = day.close[(day.ids >= day.ids[tick] - EXTREME_MS) & (day.ids <= day.ids[tick])]
        assert (past.low[tick], past.high[tick]) == (recent.min(), recent.max())


def test_the_gap_is_seen_from_its_end_on(day: Day) -> None:
    past = Past.of(day)
    [after] = np.nonzero(np.diff(day.ids) == 5_000)[0] + 1
    assert past.gap_ended_ms[after - 1] < 0
    assert past.gap_ended_ms[after] == past.gap_ended_ms[-1] == day.ids[after]


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Flags]:
    """Return what each rule taps on 50 minutes around a full hour, in which all happens that a rule looks for."""
    cents = np.array(wild(5, 50 / 60))
    cents[600:620] = cents[600]
    calm_cents = cents[1500] + (cents[1500:1800] - cents[1500]) // 5
    cents = np.concatenate([cents[:1500], calm_cents, cents[1800:] - cents[1800] + calm_cents[-1]])
    path = tmp_path_factory.mktemp("eventful") / "day.csv"
    head, *rows = (
        write_day(path, cents.tolist(), START_MS // 3_600_000 * 3_600_000 - 1_200_000).read_text().splitlines()
    )
    silent = {1000, *(second + each for second in range(2000, 3000, 36) for each in range(3))}
    path.write_text("\n".join([head, *(row for second, row in enumerate(rows) if second not in silent)]) + "\n")
    day = read_day(path, RULES, unheard)
    moments = moments_of(day, RULES, 1_000, 3)
    pricer, _ = priced()
    board = Board.of(moments, pricer.rates_bp(moments), Past.of(day))
    return {name: mask & board.taps for name, mask in board.masks()}


@pytest.mark.parametrize("name", RULES_OF_PLAY)
def test_each_rule_chooses_among_the_cells(eventful: dict[str, Flags], name: str) -> None:
    assert eventful[name].any()
    assert not eventful[name].all()


def test_rules_choose_what_they_say(board: Board) -> None:
    masks, moments = dict(board.masks()), board.moments
    low, close = moments.lows[:, None, :], moments.close[:, None, None]
    shape = board.rates.shape
    own = np.broadcast_to((low <= close) & (close <= low + 500), shape)
    assert np.array_equal(np.broadcast_to(masks["the row of the price"], shape), own)
    above, below = (np.broadcast_to(masks[f"the nearest row {side}"], shape) for side in ("above", "below"))
    assert above.sum(axis=2).max() == below.sum(axis=2).max() == 1
    assert not (own & (above | below)).any()
    round_ = masks["round numbers: a multiple of $100 in the cell"]
    assert set((moments.lows % 10_000)[round_[:, 0]].tolist()) == {0, 9_500}
    with_it, against = (masks[f"{word} the last 10 s' move"] for word in ("on the side of", "against"))
    assert not (with_it & against).any()


def test_a_cell_is_counted_once_however_often_it_was_tapped(board: Board) -> None:
    chosen = board.taps & (board.rates < 30_000)
    moments = board.moments
    cells = {
        (int(moments.starts_s[m, c]), int(moments.lows[m, r])) for m, c, r in zip(*np.nonzero(chosen), strict=True)
    }
    assert board.distinct(chosen) == len(cells) < chosen.sum()


def test_taps_are_paid_by_the_evidence(board: Board) -> None:
    moments, windows = board.moments, board.moments.day.windows
    for m, c, r in zip(*(each[::977] for each in np.nonzero(board.taps)), strict=True):
        window = (int(moments.starts_s[m, c]) - windows.first_s) // windows.width_s
        low = int(moments.lows[m, r])
        hit = low <= windows.high[window] and low + 500 >= windows.low[window]
        assert windows.covered[window]
        assert board.paid[m, c, r] == (board.rates[m, c, r] / 10_000 if hit else 0)
