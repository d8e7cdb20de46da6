"""From prices to stored ticks: order, lateness, restarts, and the volatility that they begin with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from jobs.feed.buckets import INTERVAL_MS, Buckets
from jobs.feed.feed import Feed, until_interval_ends_ms
from jobs.feed.opening import begin, open_source, open_volatility, recording_of
from jobs.feed.quotes import Quote
from jobs.feed.recording import SHIPPED, read_recording
from jobs.feed.venues import Venues
from runtime.clock import ManualClock
from runtime.game.rewards import HISTORY_MS_MIN
from runtime.game.ticks import Tick
from runtime.game.volatility import GAP_MS_MAX, Volatility
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_writer
from tests.jobs.feed.ticks import quote, tick

START = 1_790_000_000_000
ALL = 10**6


class Script:
    """A source that delivers what the test wrote down, when it is due."""

    name = "script"

    def __init__(self, *quotes: Quote) -> None:
        self.quotes = list(quotes)

    def poll(self, now_ms: int) -> list[Quote]:
        due = [each for each in self.quotes if each.arrived_ms <= now_ms]
        self.quotes = [each for each in self.quotes if each.arrived_ms > now_ms]
        return due


@pytest.fixture
def database(settings: Settings, clock: ManualClock) -> Iterator[Database]:
    ticks_store.prepare(settings.ticks_database, clock)
    opened = open_writer(settings.ticks_database)
    yield opened
    opened.close()


def stored(database: Database) -> list[Tick]:
    return ticks_store.between(database, 0, START * 2, ALL)


def run_feed(settings: Settings, database: Database, from_ms: int, to_ms: int) -> list[Tick]:
    """Start a feed at `from_ms`, let it go on to `to_ms`, and return what it handed over."""
    latest = ticks_store.latest(database)
    source, history = open_source(settings, recording_of(settings), latest, from_ms)
    offered: list[Tick] = []
    volatility = open_volatility(database, history, from_ms)
    feed = Feed(source, Buckets(latest.id if latest else 0), volatility, database, offered.append)
    for now_ms in range(from_ms, to_ms + 1, INTERVAL_MS):
        feed.run_once(now_ms)
    return offered


def test_a_tick_is_stored_before_it_is_handed_over(database: Database) -> None:
    seen: list[bool] = []
    source = Script(quote(START + 10, 500), quote(START + 60, 700))
    feed = Feed(
        source, Buckets(0), Volatility(), database, lambda tick: seen.append(ticks_store.latest(database) == tick)
    )
    feed.run_once(START + 100)
    assert seen == [True]
    (made,) = stored(database)
    assert (made.id, made.exchange_ms, made.close, made.low, made.high) == (START + 60, START + 40, 700, 500, 700)
    assert made.sources == "script"


def test_what_cannot_be_stored_is_not_handed_over(database: Database) -> None:
    offered: list[Tick] = []
    ticks_store.append(database, tick(START + 60))
    feed = Feed(Script(quote(START + 60), quote(START + 160)), Buckets(0), Volatility(), database, offered.append)
    feed.run_once(START + 100)
    assert offered == []
    feed.run_once(START + 200)
    assert [each.id for each in offered] == [START + 160]


def test_several_intervals_in_one_turn_come_in_order_and_old_prices_not_at_all(database: Database) -> None:
    ids = [START - 1_001, START - 1_000, START - 550, START - 450, START - 50]
    offered: list[Tick] = []
    feed = Feed(Script(*map(quote, ids)), Buckets(0), Volatility(), database, offered.append)
    feed.run_once(START)
    assert [each.id for each in offered] == ids[1:]


def test_old_ticks_go_after_seven_days(database: Database) -> None:
    week_ms = ticks_store.KEEP_MS
    for tick_id in (START - week_ms - 1, START - week_ms, START - 1):
        ticks_store.append(database, tick(tick_id))
    Feed(Script(), Buckets(0), Volatility(), database, lambda _: None).run_once(START)
    assert [each.id for each in stored(database)] == [START - week_ms, START - 1]


@pytest.mark.parametrize("source", ["replay", "sim"])
def test_a_fresh_feed_offers_rates_at_once_and_stores_nothing_of_the_past(
    settings: Settings, database: Database, source: str
) -> None:
    chosen = replace(settings, feed=(source,))
    offered = run_feed(chosen, database, START, START + 5_000)
    assert offered == stored(database)
    assert offered[0].id > START
    assert offered[0].features.history_ms >= HISTORY_MS_MIN
    assert offered[0].features.volatility > 0
    assert all(after.id > before.id for before, after in pairwise(offered))
    assert all(after.id // INTERVAL_MS > before.id // INTERVAL_MS for before, after in pairwise(offered))


def test_a_fresh_replay_plays_the_recorded_prices(settings: Settings, database: Database) -> None:
    offered = run_feed(settings, database, START, START + 20_000)
    recording = read_recording(SHIPPED)
    recorded = dict(zip(recording.times_ms, recording.cents, strict=True))
    assert offered
    for each in offered:
        assert each.close == recorded[each.exchange_ms]
        assert each.exchange_ms - recording.times_ms[0] == 1_800_000 + each.id - START


@pytest.mark.parametrize("source", ["replay", "sim"])
@pytest.mark.parametrize(
    "down_ms", [pytest.param(500, id="at once"), pytest.param(3_000, id="soon"), pytest.param(3_600_000, id="late")]
)
@pytest.mark.parametrize("ran_ms", [pytest.param(10_000, id="short run"), pytest.param(90_000, id="long run")])
def test_a_restart_goes_on_from_the_last_price_with_rates(
    settings: Settings, database: Database, source: str, down_ms: int, ran_ms: int
) -> None:
    chosen = replace(settings, feed=(source,))
    before = run_feed(chosen, database, START, START + ran_ms)
    restart_ms = before[-1].id + down_ms
    after = run_feed(chosen, database, restart_ms, restart_ms + 15_000)
    assert after[0].id > restart_ms - INTERVAL_MS
    # One move of the source, whatever the time that passed.
    assert abs(after[0].close - before[-1].close) <= 2_000
    assert after[0].features.history_ms >= HISTORY_MS_MIN
    assert stored(database) == [*before, *after]


def test_a_restarted_replay_is_at_the_place_that_time_has_reached(settings: Settings, database: Database) -> None:
    before = run_feed(settings, database, START, START + 30_000)
    after = run_feed(settings, database, START + 32_000, START + 45_000)
    assert after[0].exchange_ms - before[0].exchange_ms == after[0].id - before[0].id


def test_the_stored_ticks_restore_the_volatility(settings: Settings, database: Database) -> None:
    before = run_feed(settings, database, START, START + 120_000)
    volatility = open_volatility(database, [], before[-1].id + 2_000)
    restored = volatility.features()
    # What the first run had from before its start has faded to e^-2 and is told apart by that only.
    assert restored.volatility == pytest.approx(before[-1].features.volatility, rel=0.2)
    assert restored.history_ms == before[-1].id - before[0].id


def test_a_source_that_changes_goes_on_from_the_last_price(settings: Settings, database: Database) -> None:
    before = run_feed(replace(settings, feed=("sim",)), database, START, START + 10_000)
    after = run_feed(settings, database, START + 11_000, START + 20_000)
    assert (before[-1].sources, after[0].sources) == ("sim", "replay")
    assert abs(after[0].close - before[-1].close) <= 2_000


def test_a_clock_that_stepped_back_brings_no_tick_before_it_has_caught_up(
    settings: Settings, database: Database
) -> None:
    before = run_feed(settings, database, START, START + 10_000)
    last_id = before[-1].id
    after = run_feed(settings, database, last_id - 5_000, last_id + 10_000)
    assert after[0].id > last_id
    assert stored(database) == [*before, *after]


@pytest.mark.parametrize(("now_ms", "wait_ms"), [(START, 100), (START + 1, 99), (START + 99, 1)])
def test_turns_come_at_the_ends_of_intervals(now_ms: int, wait_ms: int) -> None:
    assert until_interval_ends_ms(now_ms) == wait_ms


def begin_live(settings: Settings, database: Database, now_ms: int) -> tuple[Venues, Buckets, Volatility]:
    chosen = replace(settings, feed=("kraken", "binance"))
    return begin(chosen, None, database, ManualClock(now_ms), threading.Event())


def test_exchanges_begin_with_what_is_stored_of_exchanges(settings: Settings, database: Database) -> None:
    for number in range(20):
        ticks_store.append(database, replace(tick(START + number * 500, 9_400_000 + number), sources="binance,kraken"))
    last_ms = START + 19 * 500
    venues, buckets, volatility = begin_live(settings, database, last_ms + 3_000)
    assert venues.name == ""
    assert volatility.features().history_ms == 19 * 500
    assert buckets.add(quote(last_ms + 3_000)) is None
    assert buckets.close(last_ms + 3_200) is not None
    _, _, after_a_gap = begin_live(settings, database, last_ms + 10_001)
    assert after_a_gap.features().history_ms == 0


def test_real_prices_join_no_made_up_ones(settings: Settings, database: Database) -> None:
    before = run_feed(replace(settings, feed=("sim",)), database, START, START + 90_000)
    last_ms = before[-1].id
    _, buckets, volatility = begin_live(settings, database, last_ms + 1_000)
    assert volatility.features().history_ms == 0
    # A window with both would decide bets by a leap that no market made; so it has a gap that makes it void.
    for ms in range(last_ms + 1_000, last_ms + 9_900, 100):
        buckets.add(quote(ms))
        assert buckets.close(ms + 200) is None
    first_ms = last_ms + 10_200
    buckets.add(quote(first_ms))
    first = buckets.close(first_ms + 200)
    assert first is not None
    assert first.id - last_ms > GAP_MS_MAX
