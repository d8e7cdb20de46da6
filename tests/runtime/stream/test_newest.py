"""The newest prices and grids: every price to every reader, and grids by their differences to who asks."""

from __future__ import annotations

import msgspec
import pytest

from runtime.messaging.bus import order
from runtime.stream import newest
from taptrade.client.grid_changes import GridChanges
from taptrade.client.sse import StreamEvent
from tests.runtime.market.test_grid_change import grids, plain
from tests.runtime.stream.station import Reader, Station, assert_places_rise


def test_every_price_reaches_every_reader_once_whenever_it_is_served(station: Station) -> None:
    often, seldom, late = station.reader(), station.reader(events="price"), None
    for number in range(1, 21):
        station.publish("price")
        if number % 2:
            station.publish("grid")
        station.relay()
        often.listen()
        if number == 5:
            late = station.reader()
        if number % 5 == 0:
            seldom.listen()
    assert late is not None
    late.listen()
    published = often.ids("price")
    assert len(published) == 20
    assert seldom.ids("price") == published
    assert late.ids("price") == published[-10:], "of what was published while it was not served, the last second"
    for reader in (often, seldom, late):
        assert_places_rise(reader.told[2:])


def test_prices_come_in_brief_to_who_asks_and_as_often(station: Station) -> None:
    whole, brief, other = station.reader(), station.reader(brief=True), station.reader(events="grid", brief=True)
    published = [station.publish("price") for _ in range(3)]
    station.relay()
    for reader in (whole, brief, other):
        reader.listen()
    assert whole.ids("price") == brief.ids("brief_price") == published
    assert brief.ids("price") == other.ids("price", "brief_price") == []
    numbers = ("event_id", "id", "exchange_ms", "close", "low", "high")
    told = [event.data for event in whole.told if event.type == "price"]
    assert [event.data for event in brief.told if event.type == "brief_price"] == [
        {name: data[name] for name in numbers} for data in told
    ]


def test_a_price_that_another_process_told_is_not_told_again(station: Station) -> None:
    before, ahead = station.reader(), station.reader()
    told, new = station.publish("price"), station.publish("price")
    ahead.subscriber.after_public = order(told)
    station.relay()
    for reader in (before, ahead):
        reader.listen()
    assert before.ids("price") == [told, new]
    assert ahead.ids("price") == [new]


def test_grids_come_by_their_differences_to_who_asks_and_has_the_one_before(station: Station) -> None:
    found = [plain(grid) for grid in grids(9)]
    station.publish("grid", **found[0])
    station.relay()
    whole, often, seldom = station.reader(), station.reader(changes=True), station.reader(changes=True)
    for number, grid in enumerate(found[1:], 1):
        for _ in range(10):  # all that was known when they came is more than a second ago
            station.publish("price")
        station.publish("grid", **grid)
        station.relay()
        whole.listen()
        often.listen()
        if number in (4, 8):
            seldom.listen()
    assert [event.type for event in often.told if "grid" in event.type] == ["grid_change"] * 8
    assert [event.type for event in seldom.told if "grid" in event.type] == ["grid_change"] * 8
    assert often.ids("grid_change") == seldom.ids("grid_change") == whole.ids("grid")
    for reader in (often, seldom):
        assert rates_of(reader) == found[-1]["rates_bp"]


def test_who_comes_where_nobody_read_gets_the_next_grid_by_its_differences(station: Station) -> None:
    found = [plain(grid) for grid in grids(4)]
    for grid in found[:3]:
        station.publish("grid", **grid)
        station.relay()
    reader = station.reader(changes=True)
    station.publish("grid", **found[3])
    station.relay()
    assert [event.type for event in reader.listen() if "grid" in event.type] == ["grid_change"]
    assert rates_of(reader) == found[3]["rates_bp"]


def test_who_has_not_the_grid_before_gets_a_whole_one_and_all_do_after_a_while(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "CHANGES_MAX", 3)
    found = [plain(grid) for grid in grids(12)]
    reader, slow = station.reader(changes=True), station.reader(changes=True)
    for grid in found:
        for _ in range(10):
            station.publish("price")
        station.publish("grid", **grid)
        station.relay()
        reader.listen()
    kinds = [event.type for event in reader.told if "grid" in event.type]
    assert kinds == ["grid", *["grid_change"] * 3] * 3
    assert [event.type for event in slow.listen() if "grid" in event.type] == ["grid"]
    assert rates_of(reader) == rates_of(slow) == found[-1]["rates_bp"]


def rates_of(reader: Reader) -> object:
    """Return the rates that a client of ours has put together."""
    changes, rates = GridChanges(), None
    for event in reader.told:
        whole = changes.whole(StreamEvent(event.id, event.type, msgspec.json.encode(event.data)))
        if whole is not None and whole.type == "grid":
            rates = msgspec.json.decode(whole.data)["rates_bp"]
    return rates
