"""Replay and sim: re-timed, without a jump at a wrap or a restart, and the same for the same start."""

from __future__ import annotations

from itertools import pairwise

import pytest

from jobs.feed.quotes import BACKLOG_MS_MAX, Quote, warm
from jobs.feed.recording import SHIPPED, Recording, read_recording
from jobs.feed.replay import Replay, offset_after
from jobs.feed.sim import START_CENTS, Sim

START = 1_790_000_000_000
SMALL = Recording((1_000, 1_400, 1_400, 2_000), (10_000, 10_100, 10_050, 10_200))
"""A second of prices; a round takes 1333 ms, and each ends 2 % above its start."""


@pytest.fixture(scope="module")
def shipped() -> Recording:
    return read_recording(SHIPPED)


def largest_move(quotes: list[Quote]) -> int:
    return max(abs(after.cents - before.cents) for before, after in pairwise(quotes))


def test_the_place_of_the_recording_is_now(shipped: Recording) -> None:
    replay = Replay(shipped, 600_000, START)
    quotes = replay.poll(START + 10_000)
    first_ms = shipped.times_ms[0] + 600_000
    expected = [
        Quote(START + ms - first_ms, ms, cents)
        for ms, cents in zip(shipped.times_ms, shipped.cents, strict=True)
        if first_ms <= ms <= first_ms + 10_000
    ]
    assert quotes == expected


def test_prices_come_once_and_when_they_are_due() -> None:
    replay = Replay(SMALL, 0, START)
    assert [quote.cents for quote in replay.poll(START)] == [10_000]
    assert replay.poll(START + 399) == []
    assert [quote.cents for quote in replay.poll(START + 400)] == [10_100, 10_050]
    assert replay.poll(START + 400) == []
    # A clock that steps back brings nothing again.
    assert replay.poll(START - 10_000) == []


def test_a_wrap_goes_on_from_the_last_price() -> None:
    quotes = Replay(SMALL, 0, START).poll(START + 3 * SMALL.round_ms - 1)
    assert [quote.arrived_ms - START for quote in quotes] == [
        *(0, 400, 400, 1000),
        *(1333, 1733, 1733, 2333),
        *(2666, 3066, 3066, 3666),
    ]
    assert [quote.cents for quote in quotes] == [
        *(10_000, 10_100, 10_050, 10_200),
        *(10_200, 10_302, 10_251, 10_404),
        *(10_404, 10_508, 10_456, 10_612),
    ]


def test_rounds_of_the_shipped_recording_have_no_jump(shipped: Recording) -> None:
    replay = Replay(shipped, 600_000, START)
    quotes = [quote for half_hour in range(10) for quote in replay.poll(START + half_hour * 1_800_000)]
    assert quotes[-1].arrived_ms > START + 3 * shipped.round_ms
    recorded = max(abs(after - before) for before, after in pairwise(shipped.cents))
    assert largest_move(quotes) <= recorded + 1
    arrivals = [quote.arrived_ms for quote in quotes]
    assert arrivals == sorted(arrivals)
    assert abs(quotes[-1].cents - quotes[0].cents) < 50_000


@pytest.mark.parametrize("offset_ms", [0, 5, 400, 999, 1_000, 1_001, 1_332, 1_333, 9_999])
def test_a_replay_that_goes_on_from_a_price_starts_within_one_recorded_move(offset_ms: int) -> None:
    replay = Replay(SMALL, offset_ms, START)
    replay.rebase(20_000)
    quotes = replay.poll(START + 5_000)
    assert abs(quotes[0].cents - 20_000) <= 300
    assert largest_move(quotes) <= 2 * 150 * 1.1


def test_a_machine_that_slept_for_a_year_does_not_play_it() -> None:
    replay = Replay(SMALL, 0, START)
    replay.poll(START)
    year_ms = 365 * 24 * 3_600_000
    quotes = replay.poll(START + year_ms)
    assert len(quotes) <= 5 * BACKLOG_MS_MAX // SMALL.round_ms
    assert quotes[0].arrived_ms >= START + year_ms - BACKLOG_MS_MAX - SMALL.round_ms
    assert START + year_ms - SMALL.round_ms <= quotes[-1].arrived_ms <= START + year_ms
    assert quotes[0].cents == 10_100


def test_the_place_after_a_restart_is_the_one_that_would_have_been_reached(shipped: Recording) -> None:
    assert offset_after(SMALL, 1_400, 250) == 650
    assert offset_after(SMALL, 1_400, -250) == 400
    assert offset_after(SMALL, 999, 0) is None
    assert offset_after(SMALL, 2_001, 0) is None
    uninterrupted = Replay(shipped, 600_000, START)
    last = uninterrupted.poll(START + 60_000)[-1]
    offset_ms = offset_after(shipped, last.exchange_ms, START + 63_000 - last.arrived_ms)
    assert offset_ms is not None
    restarted = Replay(shipped, offset_ms, START + 63_000)
    assert restarted.poll(START + 70_000) == [
        quote for quote in uninterrupted.poll(START + 70_000) if quote.arrived_ms >= START + 63_000
    ]


def test_history_ends_where_the_feed_goes_on(shipped: Recording) -> None:
    fresh = Replay(shipped, 0, START - 600_000)
    history = warm(fresh, START, None)
    assert history[0].cents == shipped.cents[0]
    assert START - 600_000 <= history[0].arrived_ms < history[-1].arrived_ms < START
    live = fresh.poll(START + 5_000)
    assert live[0].cents == shipped.cents[len(history)]

    again = Replay(shipped, 0, START - 600_000)
    moved = warm(again, START, 5_000_000)
    assert [quote.arrived_ms for quote in moved] == [quote.arrived_ms for quote in history]
    assert moved[-1].cents == 5_000_000
    assert largest_move([*moved, *again.poll(START + 5_000)]) <= largest_move([*history, *live])


def test_sim_walks_alike_from_the_same_seed_whatever_the_polls() -> None:
    one, other = Sim(7, START), Sim(7, START)
    at_once = one.poll(START + 60_000)
    step_by_step = [quote for ms in range(0, 60_001, 100) for quote in other.poll(START + ms)]
    assert at_once == step_by_step
    assert Sim(8, START).poll(START + 60_000) != at_once


def test_sim_looks_like_an_ordinary_market() -> None:
    quotes = Sim(7, START).poll(START + 600_000)
    assert 2_700 <= len(quotes) <= 3_300
    arrivals = [quote.arrived_ms for quote in quotes]
    assert arrivals == sorted(set(arrivals))
    squares = sum((after.cents - before.cents) ** 2 for before, after in pairwise(quotes))
    assert 180 <= (squares / 600) ** 0.5 <= 220
    assert abs(quotes[0].cents - START_CENTS) < 1_000


def test_sim_goes_on_from_a_price_and_skips_what_it_slept_through() -> None:
    sim = Sim(7, START)
    sim.rebase(123_456)
    assert abs(sim.poll(START + 1_000)[0].cents - 123_456) < 1_000
    assert len(sim.poll(START + 30 * 24 * 3_600_000)) < 30_000


def test_a_price_never_reaches_zero() -> None:
    sim = Sim(7, START)
    sim.rebase(1)
    assert min(quote.cents for quote in sim.poll(START + 60_000)) >= 1
    falling = Replay(Recording((0, 1000), (10_000, 1)), 0, START)
    assert min(quote.cents for quote in falling.poll(START + 60_000)) == 1
