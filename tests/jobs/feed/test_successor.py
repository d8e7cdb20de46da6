"""A feed that stands by goes on where the one at work ended, as one that begins then would, but at once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from jobs.feed.opening import Successor, begin
from runtime.clock import ManualClock
from runtime.game.volatility import GAP_MS_MAX
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import open_writer
from tests.jobs.feed.ticks import quote, tick

START = 1_790_000_000_000
STEP_MS = 500


@pytest.mark.parametrize("sources", ["binance,kraken", "sim"])
def test_it_goes_on_where_the_other_ended(settings: Settings, sources: str) -> None:
    clock, stopping = ManualClock(START), threading.Event()
    live = replace(settings, feed=("kraken", "binance"))
    ticks_store.prepare(live.ticks_database, clock)
    database = open_writer(live.ticks_database)
    successor: Successor | None = None
    for number in range(40):
        clock.wall_ms = START + number * STEP_MS
        ticks_store.append(database, replace(tick(clock.wall_ms, 9_400_000 + number % 7), sources=sources))
        if number == 20:
            successor = Successor(live, None, clock, stopping)
        if successor is not None:
            successor.follow()
    assert successor is not None
    _, buckets, volatility = successor.take_over(database)
    _, expected_buckets, expected = begin(live, None, database, clock, stopping)
    database.close()

    assert volatility.features() == expected.features()
    assert (volatility.features().history_ms > 0) is (sources != "sim")
    # Neither takes a price of the time that is stored; made-up ones are not joined by real ones for a while.
    gap_ms = GAP_MS_MAX if sources == "sim" else 0
    for ours in (buckets, expected_buckets):
        assert ours.add(quote(clock.wall_ms + gap_ms - 1)) is None
        assert ours.close(clock.wall_ms + gap_ms) is None
