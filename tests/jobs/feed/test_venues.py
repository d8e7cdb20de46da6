"""Several sources as one: order, what comes late, and what is told of each."""

from __future__ import annotations

from typing import Any, cast

import pytest

from jobs.feed.lag import LATE_MS, SPAN_MS, Lag
from jobs.feed.quotes import Quote
from jobs.feed.venues import ERROR_SHOWN_MAX, Played, Venues
from runtime.messaging.redis_keys import FEED_SOURCES_BYTES_MAX
from runtime.messaging.redis_values import FeedSources
from tests.jobs.feed.scripted import Scripted

START = 1_790_000_000_000
LEVEL = 9_400_000
FOUR = ("kraken", "binance", "coinbase", "bitstamp")


def settled(*names: str) -> tuple[list[Scripted], Venues]:
    """Return sources at one level for five seconds up to START, and what joins them."""
    sources = [Scripted(name) for name in names]
    venues = Venues(sources)
    for ms in range(START - 5_000, START, 100):
        for source in sources:
            source.quotes.append(Quote(ms, ms - 50, LEVEL))
        venues.poll(ms)
    return sources, venues


def test_prices_count_in_the_order_of_their_arrival() -> None:
    (kraken, binance), venues = settled("kraken", "binance")
    kraken.quotes = [Quote(START + 10, START, LEVEL + 100), Quote(START + 50, START, LEVEL + 300)]
    binance.quotes = [Quote(START + 30, START, LEVEL + 200), Quote(START + 101, START, LEVEL)]
    made = [(quote.arrived_ms - START, quote.cents - LEVEL) for quote in venues.poll(START + 100)]
    assert made == [(10, 50), (30, 150), (50, 250)]
    assert venues.name == "binance,kraken"


def test_a_price_that_was_handed_over_during_a_poll_counts_in_the_next() -> None:
    (kraken, _), venues = settled("kraken", "binance")
    venues.poll(START)
    kraken.quotes = [Quote(START - 3, START - 60, LEVEL)]
    (found,) = venues.poll(START + 100)
    assert found.arrived_ms == START


def test_after_a_clock_that_stepped_back_no_price_is_of_the_future() -> None:
    (kraken, binance), venues = settled("kraken", "binance")
    made = []
    for ms in range(START - 3_600_000, START - 3_590_000, 100):
        kraken.quotes = [Quote(ms - 20, ms - 70, LEVEL)]
        binance.quotes = [Quote(ms - 10, ms - 60, LEVEL)]
        made += [(ms - quote.arrived_ms, quote.cents) for quote in venues.poll(ms)]
    assert set(made) == {(20, LEVEL), (10, LEVEL)}


def test_what_a_full_buffer_held_back_is_no_price_of_now() -> None:
    (kraken, binance), venues = settled("kraken", "binance")
    kraken.quotes = [Quote(START + 10, START - 2_100, LEVEL * 2), Quote(START + 20, START - 30, LEVEL)]
    binance.quotes = [Quote(START + 10, START - 30, LEVEL)]
    assert {quote.cents for quote in venues.poll(START + 100)} == {LEVEL}
    (seen, _) = venues.report(START + 100).sources
    assert seen.dropped["late"] == 1


@pytest.mark.parametrize(
    ("skew_ms", "took_ms", "late"),
    [
        pytest.param(0, 50 + LATE_MS, False, id="just in time"),
        pytest.param(0, 51 + LATE_MS, True, id="late"),
        pytest.param(-60_000, 50 + LATE_MS, False, id="a clock that is a minute ahead"),
        pytest.param(-60_000, 51 + LATE_MS, True, id="late by that clock"),
    ],
)
def test_a_price_is_late_by_the_exchange_s_own_clock(skew_ms: int, took_ms: int, late: bool) -> None:
    lag = Lag()
    for ms in range(START, START + 10_000, 100):
        assert not lag.is_late(Quote(ms, ms - 50 - skew_ms, 1))
    now_ms = START + 10_000
    assert lag.is_late(Quote(now_ms, now_ms - took_ms - skew_ms, 1)) is late
    # Without a time of the exchange's own nothing can be said.
    assert not lag.is_late(Quote(now_ms, now_ms, 1))


def test_a_way_that_stays_longer_is_believed_in_the_end() -> None:
    lag = Lag()
    assert not lag.is_late(Quote(START, START - 50, 1))
    answers = [lag.is_late(Quote(ms, ms - 9_000, 1)) for ms in range(START + 1_000, START + 2 * SPAN_MS + 2_000, 1_000)]
    assert answers[0]
    assert not answers[-1]


def test_every_source_is_told_of_within_the_budget() -> None:
    sources, venues = settled(*FOUR)
    reasons = ("zero", "crossed", "one_sided", "repeat", "out_of_order", "garbage", "other_symbol", "unasked")
    for source in sources:
        source.error = "wrong " * 1_000
        source.dropped = dict.fromkeys((*reasons, "market_closed", "overflow", "clock_step"), 10**12)
    report = venues.report(START)
    assert (report.needed, report.counted, report.too_few) == (2, 4, False)
    seen = report.sources[0]
    assert (seen.name, seen.fresh, seen.counted, seen.prices, seen.reconnects) == ("kraken", True, True, 7, 2)
    assert (seen.offset_ppm, seen.age_ms(START), len(seen.last_error)) == (0, 40, ERROR_SHOWN_MAX)
    encoded = report.encode()
    assert len(encoded) < FEED_SOURCES_BYTES_MAX
    assert FeedSources.decode(encoded) == report


def test_too_few_are_told_of_as_soon_as_they_are_not_fresh() -> None:
    sources, venues = settled("kraken", "binance", "coinbase")
    for source in sources[:1]:
        source.quotes = [Quote(START + 3_000, START + 2_950, LEVEL)]
    venues.poll(START + 3_000)
    report = venues.report(START + 3_000)
    assert (report.counted, report.too_few) == (1, True)
    # Of a single source its ticks tell.
    assert not Venues([Scripted("kraken")]).report(START).too_few


def test_all_sources_start_and_stop() -> None:
    sources, venues = settled("kraken", "binance")
    venues.start(cast("Any", None))
    venues.stop()
    assert [source.calls for source in sources] == [["start", "stop"]] * 2


def test_a_source_that_makes_its_own_prices_is_one_like_any_other() -> None:
    inner = Scripted("replay")
    played = Played(inner)
    venues = Venues([played])
    assert played.status(START).state == "silent"
    # Its recorded times step back where it begins anew.
    inner.quotes = [Quote(START, START - 10**9, 500), Quote(START + 50, START - 2 * 10**9, 900)]
    assert [quote.cents for quote in venues.poll(START + 100)] == [500, 900]
    assert venues.name == "replay"
    (seen,) = venues.report(START + 100).sources
    assert (seen.state, seen.last_price_ms, seen.last_price_cents, seen.prices) == ("live", START + 50, 900, 2)
    assert (seen.counted, seen.offset_ppm, seen.dropped) == (True, 0, {})
    assert played.status(START + 10_000).state == "silent"
