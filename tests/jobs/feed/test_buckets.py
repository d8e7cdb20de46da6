"""Publishing intervals: what a tick is made of, and that ids only rise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.feed.buckets import INTERVAL_MS, Bar, Buckets
from tests.jobs.feed.ticks import quote

EDGE = 1_790_000_000_000


def test_an_interval_becomes_one_bar_with_close_low_and_high() -> None:
    buckets = Buckets(0)
    for ms, cents in ((EDGE + 1, 500), (EDGE + 40, 900), (EDGE + 40, 300), (EDGE + 99, 700)):
        assert buckets.add(quote(ms, cents)) is None
    assert buckets.close(EDGE + 99) is None
    assert buckets.close(EDGE + 100) == Bar(EDGE + 99, EDGE + 79, close=700, low=300, high=900)
    assert buckets.close(EDGE + 100) is None


def test_a_price_of_the_next_interval_ends_the_one_before() -> None:
    buckets = Buckets(0)
    buckets.add(quote(EDGE - 1, 500))
    finished = buckets.add(quote(EDGE, 600))
    assert finished == Bar(EDGE - 1, EDGE - 21, 500, 500, 500)
    assert buckets.close(EDGE + 100) == Bar(EDGE, EDGE - 20, 600, 600, 600)


def test_an_interval_that_was_given_out_stays_closed() -> None:
    buckets = Buckets(0)
    buckets.add(quote(EDGE + 10))
    assert buckets.close(EDGE + 100)
    assert buckets.add(quote(EDGE + 90)) is None
    assert buckets.close(EDGE + 300) is None


def test_nothing_is_added_to_the_interval_of_the_last_stored_tick() -> None:
    buckets = Buckets(EDGE + 10)
    buckets.add(quote(EDGE + 50))
    assert buckets.close(EDGE + 200) is None
    buckets.add(quote(EDGE + 100))
    bar = buckets.close(EDGE + 200)
    assert bar is not None
    assert bar.id == EDGE + 100


def test_prices_that_are_not_positive_or_out_of_order_are_dropped() -> None:
    buckets = Buckets(0)
    for each in (quote(EDGE + 50, 500), quote(EDGE + 60, 0), quote(EDGE + 60, -5), quote(EDGE + 40, 900)):
        buckets.add(each)
    assert buckets.close(EDGE + 100) == Bar(EDGE + 50, EDGE + 30, 500, 500, 500)


@given(st.lists(st.tuples(st.integers(-300, 700), st.integers(-5, 1_000)), max_size=60))
def test_bars_rise_strictly_and_never_straddle_an_interval(moves: list[tuple[int, int]]) -> None:
    buckets, bars, now_ms = Buckets(0), [], EDGE
    taken: dict[int, list[int]] = {}
    last_ms = 0
    for step_ms, cents in moves:
        now_ms += step_ms
        bars.append(buckets.add(quote(now_ms, cents)))
        if cents > 0 and now_ms >= last_ms:
            last_ms = now_ms
            taken.setdefault(now_ms // INTERVAL_MS, []).append(cents)
    bars.append(buckets.close(EDGE + 1_000_000))
    made = [bar for bar in bars if bar]
    ids = [bar.id for bar in made]
    assert ids == sorted(set(ids))
    # Each interval gave one bar, of exactly the prices that came in it.
    assert {bar.id // INTERVAL_MS: (bar.close, bar.low, bar.high) for bar in made} == {
        interval: (prices[-1], min(prices), max(prices)) for interval, prices in taken.items()
    }
    assert len(made) == len(taken)
