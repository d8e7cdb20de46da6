"""The consensus of several sources, as a table of what happens to them, and as properties."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.feed.consensus import AGREE, FRESH_MS, Consensus
from jobs.feed.quotes import Quote

START = 1_790_000_000_000
FOUR = ("binance", "coinbase", "kraken", "bitstamp")
LEVEL = 9_400_000
STEP_MS = 100
PREMIUM = 9_400
"""A tenth of a percent: as far as USDT is from the dollar on an ordinary day."""


class Market:
    """Sources that quote ten times a second each, one after the other."""

    def __init__(self, names: Iterable[str] = FOUR) -> None:
        self.prices = dict.fromkeys(names, LEVEL)
        self.now_ms = START
        self.consensus = Consensus(tuple(self.prices))
        self.made: list[Quote] = []
        """What came out in the newest `run`."""

    def run(self, seconds: float, *without: str, **prices: int) -> list[int]:
        """Let time pass with these prices from now on; return the consensus prices of it."""
        self.prices.update(prices)
        self.made = []
        for _ in range(round(seconds * 1000 / STEP_MS)):
            self.now_ms += STEP_MS
            for name, cents in self.prices.items():
                if name not in without:
                    self.quote(name, cents)
        return [quote.cents for quote in self.made]

    def quote(self, name: str, cents: int) -> Quote | None:
        """Let one price arrive."""
        found = self.consensus.take(name, Quote(self.now_ms, self.now_ms - 20, cents))
        self.made += [found] if found else []
        return found


def test_the_first_price_is_there_after_two_seconds_with_the_dollar_as_its_level() -> None:
    market = Market()
    made = market.run(5, binance=LEVEL + PREMIUM, coinbase=LEVEL - 100, bitstamp=LEVEL + 100)
    assert set(made) == {LEVEL}
    assert 2_000 <= market.made[0].arrived_ms - START <= 3_000
    assert market.consensus.offset("binance") == pytest.approx(PREMIUM / LEVEL)
    assert market.consensus.behind == FOUR


@pytest.mark.parametrize("gone", FOUR)
def test_a_source_that_goes_and_comes_does_not_move_the_price(gone: str) -> None:
    market = Market()
    market.run(20, binance=LEVEL + PREMIUM, kraken=LEVEL - 300, bitstamp=LEVEL + 500)
    level = market.made[-1].cents
    assert set(market.run(10, gone)) == {level}
    assert market.consensus.behind == tuple(name for name in FOUR if name != gone)
    assert set(market.run(10)) == {level}
    assert market.consensus.behind == FOUR


def test_one_venue_s_wick_is_left_out_and_counted() -> None:
    market = Market()
    market.run(10)
    for cents in (LEVEL // 2, LEVEL * 3, LEVEL + LEVEL // 100):
        assert market.quote("kraken", cents) is None
        assert market.quote("coinbase", LEVEL) is not None
    assert {quote.cents for quote in market.made} == {LEVEL}
    assert market.consensus.dropped("kraken") == {
        "unproven": market.consensus.dropped("kraken")["unproven"],
        "outlier": 3,
    }
    assert market.consensus.counted(market.now_ms) == ["binance", "coinbase", "bitstamp"]
    market.run(1)
    assert market.consensus.counted(market.now_ms) == list(FOUR)


def test_a_wick_teaches_no_offset() -> None:
    market = Market()
    market.run(0.5, kraken=LEVEL * 2)
    market.run(30, kraken=LEVEL)
    market.run(20, kraken=LEVEL + LEVEL // 50)
    market.run(1, kraken=LEVEL)
    assert market.consensus.offset("kraken") == pytest.approx(0, abs=1e-9)
    assert market.consensus.counted(market.now_ms) == list(FOUR)


def test_a_crash_of_all_is_followed_with_the_second_that_falls() -> None:
    market = Market(FOUR[:3])
    market.run(10)
    fallen = LEVEL * 9 // 10
    assert market.quote("binance", fallen) is None
    assert market.quote("coinbase", fallen).cents == fallen  # type: ignore[union-attr]  # it is what is tested
    assert market.quote("kraken", LEVEL) is None
    assert market.quote("kraken", fallen).cents == fallen  # type: ignore[union-attr]  # it is what is tested


def test_of_four_two_that_fell_and_two_that_did_not_make_no_price() -> None:
    market = Market()
    market.run(10)
    fallen = LEVEL * 9 // 10
    assert market.quote("binance", fallen) is None
    assert market.quote("coinbase", fallen) is None
    assert market.quote("bitstamp", LEVEL) is None
    assert market.consensus.counted(market.now_ms) == []
    assert market.quote("kraken", fallen) is not None


def test_two_that_disagree_make_no_price_until_they_agree() -> None:
    market = Market(("coinbase", "kraken"))
    assert market.run(10)
    assert market.quote("kraken", LEVEL + LEVEL // 100) is None
    assert market.run(120, kraken=LEVEL + LEVEL // 100) == []
    assert set(market.run(5, kraken=LEVEL)) == {LEVEL}


def test_a_relation_that_has_changed_for_good_is_learnt() -> None:
    market = Market(("coinbase", "kraken"))
    market.run(10)
    changed_ms = market.now_ms
    made = market.run(700, kraken=LEVEL + LEVEL // 100)
    assert set(made[1:]) <= set(range(LEVEL, LEVEL + LEVEL // 100))
    assert 240_000 < market.made[1].arrived_ms - changed_ms < 330_000


def test_fewer_than_two_fresh_make_no_price_and_one_alone_does() -> None:
    market = Market()
    market.run(10)
    made = market.run(10, "binance", "coinbase", "kraken", bitstamp=LEVEL + 700)
    # While the others' last prices are fresh, they hold it.
    assert len(made) == FRESH_MS // STEP_MS
    assert market.consensus.dropped("bitstamp")["alone"] == len(range(10_000 // STEP_MS)) - len(made)
    assert Market(("kraken",)).run(1) == [LEVEL] * 10


def test_a_source_that_comes_back_after_an_hour_shows_anew_where_it_stands() -> None:
    market = Market()
    market.run(10, binance=LEVEL + PREMIUM)
    market.run(3_600, "binance")
    assert market.consensus.offset("binance") is None
    # Tether has lost a percent meanwhile.
    made = market.run(20, binance=LEVEL - LEVEL // 100)
    assert set(made) == {LEVEL}
    assert "binance" in market.consensus.behind
    assert market.consensus.offset("binance") == pytest.approx(-0.01)


def test_something_else_than_bitcoin_never_counts() -> None:
    market = Market()
    market.run(700, bitstamp=LEVEL // 30)
    assert market.consensus.counted(market.now_ms) == ["binance", "coinbase", "kraken"]
    assert market.made[-1].cents == LEVEL


def test_the_level_is_drawn_to_the_dollar_slowly() -> None:
    market = Market()
    market.run(10)
    # Every exchange but Binance rises by little, and Binance's premium goes: the level must not stay where it was.
    raised = dict.fromkeys(("coinbase", "kraken", "bitstamp"), LEVEL + 5_000)
    first = market.run(60, **raised)[-1]
    assert first == pytest.approx(LEVEL + 5_000, abs=2)
    market.run(1_800)
    assert market.made[-1].cents == pytest.approx(LEVEL + 5_000, abs=2)


def test_zero_and_less_are_counted_and_no_price() -> None:
    market = Market()
    market.run(10)
    assert market.quote("kraken", 0) is None
    assert market.quote("kraken", -5) is None
    assert market.consensus.dropped("kraken")["zero"] == 2
    assert market.consensus.counted(market.now_ms) == list(FOUR)


def test_a_clock_that_steps_back_leaves_no_price_of_the_future_behind() -> None:
    market = Market()
    market.run(10)
    market.now_ms -= 3_600_000
    market.run(1, "kraken")
    assert market.consensus.fresh(market.now_ms) == ["binance", "coinbase", "bitstamp"]
    assert market.run(5, "kraken")[-1] == LEVEL


moves = st.lists(
    st.tuples(st.sampled_from(FOUR), st.integers(0, 3_500), st.integers(-20_000, 20_000)), min_size=1, max_size=60
)


@given(moves)
def test_a_price_is_always_near_two_sources_and_between_them(steps: list[tuple[str, int, int]]) -> None:
    market = Market()
    market.run(10)
    known: dict[str, tuple[int, int]] = dict.fromkeys(FOUR, (market.now_ms, LEVEL))
    for name, wait_ms, move in steps:
        market.now_ms += wait_ms
        cents = known[name][1] + move
        known[name] = (market.now_ms, cents)
        found = market.quote(name, cents)
        if found is None:
            continue
        fresh = [price for at_ms, price in known.values() if market.now_ms - at_ms <= FRESH_MS]
        # Offsets move by some cents at most in this time.
        near = [price for price in fresh if abs(price / found.cents - 1) <= 2 * AGREE + 0.0001]
        assert len(near) >= 2
        assert min(fresh) - 5_000 <= found.cents <= max(fresh) + 5_000
        assert len(market.consensus.behind) >= 2


@given(moves)
def test_a_single_source_is_believed_as_it_is(steps: list[tuple[str, int, int]]) -> None:
    market = Market(("kraken",))
    for _, wait_ms, move in steps:
        market.now_ms += wait_ms
        found = market.quote("kraken", LEVEL + move)
        assert found is not None
        assert found.cents == LEVEL + move
