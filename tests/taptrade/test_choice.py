"""Which cells the player taps."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec

from taptrade.choice import CLOSING_MARGIN_MS, NEAREST_COLUMNS, Chooser, offers
from tests.taptrade.grids import START_S, WIDTH_S, grid

NOW_MS = START_S * 1000


def test_only_the_nearest_columns_are_tapped() -> None:
    starts = {offer.column.start_s for offer in offers(grid(), NOW_MS)}
    assert starts == {START_S + WIDTH_S * place for place in range(2, 2 + NEAREST_COLUMNS)}


def test_a_column_that_is_about_to_close_is_left_alone() -> None:
    closes_ms = NOW_MS + WIDTH_S * 1000  # when the column before it begins
    in_time = offers(grid(), closes_ms - CLOSING_MARGIN_MS)
    late = offers(grid(), closes_ms - CLOSING_MARGIN_MS + 1)
    assert in_time[0].column.start_s == START_S + 2 * WIDTH_S
    assert late[0].column.start_s == START_S + 3 * WIDTH_S


def test_the_look_goes_further_when_nothing_near_is_offered() -> None:
    far = grid(columns=6)
    rates = ((None,) * 4,) * 5 + ((20_000,) * 4,)
    found = offers(msgspec.structs.replace(far, rates_bp=rates), NOW_MS)
    assert {offer.column_index for offer in found} == {5}


def test_cells_that_are_not_offered_are_not_tapped() -> None:
    assert Chooser(Random(1)).choose(grid(rate_bp=None), NOW_MS) is None


def test_taps_spread_over_columns_and_rows_and_never_repeat() -> None:
    chooser = Chooser(Random(7))
    taps = [chooser.choose(grid(), NOW_MS) for _ in range(NEAREST_COLUMNS * 4)]
    chosen = [tap for tap in taps if tap is not None]
    assert len({tap.cell_id for tap in chosen}) == NEAREST_COLUMNS * 4
    assert chooser.choose(grid(), NOW_MS) is None
    half = chosen[: len(chosen) // 2]
    assert set(Counter(tap.column_index for tap in half).values()) == {2}
    assert set(Counter(tap.row_index for tap in half).values()) == {2}


def test_a_seed_chooses_the_same_cells_again() -> None:
    first, again, other = (Chooser(Random(seed)) for seed in (3, 3, 4))
    grids = [grid() for _ in range(8)]
    cells = [[chooser.choose(one, NOW_MS) for one in grids] for chooser in (first, again, other)]
    assert cells[0] == cells[1] != cells[2]


def test_the_floor_allows_three_percent_but_no_loss_on_a_win() -> None:
    assert offers(grid(rate_bp=20_001), NOW_MS)[0].min_rate_bp == 19_400
    assert offers(grid(rate_bp=10_200), NOW_MS)[0].min_rate_bp == 10_000
