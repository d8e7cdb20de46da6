"""How streams begin: snapshots, and readers that go on where they were, without gap or repeat."""

from __future__ import annotations

import pytest

from runtime.messaging import redis_keys
from runtime.stream.remembered import Remembered
from runtime.stream.sse import parse_cursor
from tests.jobs.writer_desk import Desk
from tests.runtime.stream.station import Reader, Station, a_round


def test_a_new_reader_gets_hello_and_a_snapshot(station: Station) -> None:
    station.publish("price")
    station.publish("grid", mode="demo")
    station.relay()
    reader = station.reader()
    hello, snapshot = reader.told
    assert (hello.type, hello.data["run_id"], hello.data["mode"]) == ("hello", "run-1", "demo")
    assert hello.data["heartbeat_ms"] == 15_000
    assert hello.data["server_time"] == "2026-09-21T14:13:20.000Z"
    assert snapshot.type == "snapshot"
    assert (snapshot.data["price"]["number"], snapshot.data["grid"]["number"]) == (1, 2)
    assert snapshot.data["breaker"]["state"] == "CRITICAL"
    assert "balance" not in snapshot.data
    assert reader.listen() == []  # what the snapshot holds is not told again


def test_a_signed_in_readers_snapshot_holds_balance_and_open_bets(station: Station, desk: Desk) -> None:
    user = desk.player()
    first, second = desk.bet(user), desk.bet(user, rows=1)
    desk.place(first, second)
    a_round(desk, user, rows=2, columns=4)
    station.relay()
    snapshot = station.reader(user).told[1]
    assert [bet["id"] for bet in snapshot.data["open_bets"]] == [first.id, second.id]
    assert snapshot.data["balance"] == desk.balance(user)
    assert station.reader("01UNKNOWNUSER0000000000000").told[1].data["breaker"]


def test_open_bets_are_found_over_pages(station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.stream.record.PAGE", 2)
    user = desk.player()
    bets = [desk.bet(user, rows=row) for row in range(5)]
    desk.place(*bets)
    account = station.hub.record.account(user)
    assert account is not None
    assert [bet.id for bet in account.open_bets] == [bet.id for bet in bets]


@pytest.mark.parametrize("cut_after", range(7))
def test_a_reader_resumes_after_any_event_without_gap_or_repeat(station: Station, desk: Desk, cut_after: int) -> None:
    user = desk.player()
    station.relay()
    steady, broken = station.reader(user), station.reader(user)
    station.publish("touched")
    desk.place(desk.bet(user), desk.bet(user, rows=1))
    station.publish("status")
    station.publish("price")
    station.relay()
    steady.listen()
    broken.listen()
    kept = broken.told[: 2 + cut_after]
    for row in range(2, 5):  # it is away, and life goes on
        station.publish("touched")
        a_round(desk, user, rows=row, columns=row + 1)
        station.relay()
    again = Reader(station, user, asked=kept[-1].id).open()
    station.publish("touched")
    desk.place(desk.bet(user, rows=9))
    station.relay()
    again.listen()
    steady.listen()
    lasting = ("touched", "status", "column", "bet", "balance")
    seen = [event.event_id for event in kept if event.type in lasting] + again.ids(*lasting)
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(steady.ids(*lasting))
    committed = [event for event in seen if event.startswith("c")]
    assert committed == [event for event in steady.ids(*lasting) if event.startswith("c")]


def test_the_first_place_of_all_starts_anew_instead_of_skipping_the_snapshot(station: Station, desk: Desk) -> None:
    desk.player()
    station.relay()
    hello = station.reader().told[0]
    assert [event.type for event in station.reader(asked=hello.id).told] == ["hello", "snapshot"]


def test_resuming_tells_the_newest_price_and_grid_once(station: Station) -> None:
    station.publish("touched")
    station.relay()
    reader = station.reader()
    for _ in range(5):
        station.publish("price")
        station.publish("grid")
    station.relay()
    again = station.reader(asked=reader.cursor)
    assert [(event.type, event.data.get("number")) for event in again.told[1:]] == [("price", 10), ("grid", 11)]
    assert again.listen() == []
    station.publish("price")
    station.relay()
    assert [event.data["number"] for event in again.listen()] == [12]


def test_missed_commits_are_read_in_pages(station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.stream.opening.PAGE", 3)
    user = desk.player()
    station.relay()
    reader, steady = station.reader(user), station.reader(user)
    desk.place(*[desk.bet(user, rows=row) for row in range(8)])
    station.relay()
    steady.listen()
    again = station.reader(user, asked=reader.cursor)
    assert again.ids("bet", "balance") == steady.ids("bet", "balance")
    assert len(again.ids("bet", "balance")) == 16


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("nonsense", id="never given out"),
        pytest.param("E0.1790000000000-1.1.0", id="another life of Redis"),
        pytest.param("E1.1789999000000-1.1.0", id="older than what the bus keeps"),
        pytest.param("E1.1790000000000-1.999.0", id="a commit that never was"),
    ],
)
def test_where_resuming_is_impossible_the_first_event_is_a_reset(station: Station, desk: Desk, asked: str) -> None:
    user = desk.player()
    station.publish("price")
    desk.place(desk.bet(user))
    station.relay()
    station.hub._remembered = Remembered(after="1790000000000-0")
    reader = station.reader(user, asked=asked)
    reset, hello = reader.told
    assert (reset.type, hello.type) == ("reset", "hello")
    assert reset.data["reason"]
    assert reset.data["balance"] == 999_900
    assert len(reset.data["open_bets"]) == 1
    assert parse_cursor(reset.id) == station.hub.cursor
    desk.place(desk.bet(user, rows=1))
    station.relay()
    assert [event.type for event in reader.listen()].count("bet") == 1


def test_status_and_touched_are_known_from_before_this_process_and_for_ten_minutes(
    station: Station, desk: Desk
) -> None:
    station.publish("touched")
    station.relay()
    reader = station.reader()
    first = station.publish("touched")
    second = station.publish("status")
    fresh = Station(desk, station.clock)
    fresh.start()
    assert Reader(fresh, asked=reader.cursor).open().ids("touched", "status") == [first, second]
    fresh.clock.advance(redis_keys.BUS_PUBLIC_KEEP_MS + 1)
    fresh.publish("touched")
    fresh.relay()
    assert Reader(fresh, asked=reader.cursor).open().told[0].type == "reset"


def test_a_place_that_is_ahead_of_this_process_repeats_nothing(station: Station, desk: Desk) -> None:
    other = Station(desk, station.clock)
    other.start()
    user = desk.player()
    station.relay()
    other.relay()
    ahead = station.reader(user)
    station.publish("touched")
    desk.place(desk.bet(user))
    station.relay()
    assert len(ahead.listen()) == 3
    moved = Reader(other, user, asked=ahead.cursor).open()
    other.relay()
    assert moved.listen() == []
    desk.place(desk.bet(user, rows=1))
    other.publish("touched")
    other.relay()
    assert len(moved.listen()) == 3


def test_a_snapshot_that_is_ahead_of_the_bus_is_not_told_again(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    desk.place(desk.bet(user))  # committed, not yet heard of
    reader = station.reader(user)
    assert reader.told[1].data["balance"] == 999_900
    station.relay()
    assert reader.listen() == []
    desk.place(desk.bet(user, rows=1))
    station.relay()
    assert [event.data.get("balance") for event in reader.listen() if event.type == "balance"] == [999_800]
