"""What the stream says of touched rows while the column runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.feed.touched import Touches
from runtime.game.grid import GridRules
from runtime.market.touched import Touched
from tests.jobs.feed.ticks import tick

RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)
START = 1_790_000_000_000


def test_the_first_tick_of_a_column_tells_the_range_with_the_price_carried_in() -> None:
    touches = Touches(RULES)
    assert touches.add(tick(START - 100, 10_100)) == Touched(1_789_999_995, 10_100, 10_100, START - 100)
    assert touches.add(tick(START + 10, 10_900)) == Touched(1_790_000_000, 10_100, 10_900, START + 10)


def test_a_tick_at_the_very_start_replaces_the_price_carried_in() -> None:
    touches = Touches(RULES)
    touches.add(tick(START - 100, 10_100))
    assert touches.add(tick(START, 10_900)) == Touched(1_790_000_000, 10_900, 10_900, START)


def test_only_another_row_is_news() -> None:
    touches = Touches(RULES)
    touches.add(tick(START, 10_100))
    assert touches.add(tick(START + 100, 10_400)) is None
    # A price on a bound is in both bands, bounds included.
    assert touches.add(tick(START + 200, 10_500)) == Touched(1_790_000_000, 10_100, 10_500, START + 200)
    assert touches.add(tick(START + 300, 10_999)) is None
    assert touches.add(tick(START + 400, 10_600, low=9_999, high=10_600)) == Touched(
        1_790_000_000, 9_999, 10_999, START + 400
    )
    assert touches.add(tick(START + 500, 10_600)) is None


@given(st.lists(st.integers(9_000, 12_000), min_size=1, max_size=30), st.integers(18, 23))
def test_every_touched_row_was_told_by_its_first_tick(prices: list[int], row: int) -> None:
    touches, told = Touches(RULES), False
    low, high = row * 500, row * 500 + 500
    for index, price in enumerate(prices):
        news = touches.add(tick(START + index * 100, price))
        told = told or (news is not None and low <= news.high_cents and high >= news.low_cents)
        reached = low <= max(prices[: index + 1]) and high >= min(prices[: index + 1])
        assert told == reached
