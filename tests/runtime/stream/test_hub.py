"""The hub: what reaches whom, in which order, how slow readers fare, and what becomes of news that went missing."""

from __future__ import annotations

import logging
import resource

import pytest

from runtime.errors import Unavailable
from runtime.messaging import redis_keys
from runtime.messaging.bus import PublicEvent
from runtime.postgresql import choice
from runtime.stream import capacity, hub, subscriber
from runtime.stream.hub import Hub
from runtime.stream.subscriber import Subscriber
from tests.jobs.writer_desk import Desk
from tests.runtime.stream.station import Reader, Station, a_round, assert_places_rise

pytestmark = pytest.mark.engines


def test_everybody_gets_public_events_and_only_the_owner_gets_money(station: Station, desk: Desk) -> None:
    ann, bob = desk.player(1), desk.player(2)
    station.relay()
    ann_reads, bob_reads, guest_reads = station.reader(ann), station.reader(bob), station.reader()
    station.publish("touched")
    a_round(desk, ann)
    station.relay()
    types = {reader: [event.type for event in reader.listen()] for reader in (ann_reads, bob_reads, guest_reads)}
    assert types[bob_reads] == types[guest_reads] == ["touched", "column"]
    assert types[ann_reads][0] == "touched"
    assert types[ann_reads].count("bet") == 2
    assert types[ann_reads].count("balance") == 2
    assert types[ann_reads].index("column") < max(i for i, kind in enumerate(types[ann_reads]) if kind == "bet")
    statuses = [event.data["status"] for event in ann_reads.told if event.type == "bet"]
    assert statuses == ["confirmed", "won"]
    assert all(event.data["ledger_id"] for event in ann_reads.told if event.type == "balance")


def test_public_events_keep_their_id_and_own_ones_are_named_by_commit_and_place(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    reader = station.reader(user)
    touched = station.publish("touched")
    desk.place(desk.bet(user))
    station.relay()
    told = reader.listen()
    assert told[0].event_id == touched
    assert all(event.event_id.startswith("c2.") for event in told[1:])
    assert told[-1].id == f"E1.{touched}.2.{told[-1].event_id.removeprefix('c2.')}"
    assert_places_rise(told)


def test_a_reader_gets_only_the_events_it_asked_for(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    reader = station.reader(user, events="balance,price")
    station.publish("price")
    station.publish("grid")
    station.publish("status")
    desk.place(desk.bet(user))
    station.relay()
    assert sorted(event.type for event in reader.listen()) == ["balance", "price"]


def test_a_slow_reader_gets_the_newest_prices_and_every_event_of_its_own(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    slow, quick = station.reader(user), station.reader(user)
    for row in range(20):
        station.publish("price")
        station.publish("grid")
        desk.place(desk.bet(user, rows=row))
        station.relay()
        quick.listen()
    told = slow.listen()
    newest = [event.data["number"] for event in told if event.type in ("price", "grid")]
    assert newest == [*range(21, 41, 2), 40], "prices of a second, and the newest grid"
    assert [event.event_id for event in told if event.type in ("bet", "balance")] == quick.ids("bet", "balance")
    assert len(quick.ids("price")) == 20
    assert_places_rise(told)


def test_one_wake_for_a_whole_reading(station: Station) -> None:
    reader = station.reader()
    for _ in range(3):
        station.publish("price")
        station.publish("touched")
    station.relay()
    assert [event.type for event in reader.listen()] == ["price", "touched"] * 3
    assert not reader.subscriber.wake.is_set()


def test_a_reader_that_falls_too_far_behind_is_ended_and_resumes_without_a_gap(
    station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "QUEUE_MAX", 10)
    user = desk.player()
    station.relay()
    slow, quick = station.reader(user), station.reader(user)
    for row in range(10):
        station.publish("touched")
        desk.place(desk.bet(user, rows=row))
        station.relay()
        quick.listen()
    assert slow.subscriber.ended
    assert slow.subscriber.queue == []
    assert slow.listen() == []
    again = station.reader(user, asked=slow.cursor)
    assert again.told[0].type == "hello"
    assert sorted(again.ids("touched", "bet", "balance")) == sorted(quick.ids("touched", "bet", "balance"))


def test_news_told_twice_reach_the_readers_once(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    reader = station.reader(user)
    desk.place(desk.bet(user))
    station.relay()
    station._heard_commits = "0-0"
    station.relay()
    reader.listen()
    assert len(reader.ids("bet")) == 1


def test_missed_news_are_read_from_the_database(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    reader, steady = station.reader(user), Reader(station, user, asked="").open()
    desk.place(desk.bet(user))
    a_round(desk, user, rows=0, columns=4)
    station.skip_commits()
    desk.place(desk.bet(user, columns=5))
    station.relay()
    told = reader.listen()
    assert [event.data["status"] for event in told if event.type == "bet"] == [
        "confirmed",
        "confirmed",
        "won",
        "confirmed",
    ]
    steady.listen()
    assert reader.ids() == steady.ids()


def test_news_that_never_came_are_found_by_looking_twice(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    reader = station.reader(user)
    desk.place(desk.bet(user))
    station.skip_commits()
    station.synchronize()
    assert reader.listen() == []  # it may still be on its way
    station.synchronize()
    assert [event.type for event in reader.listen()].count("bet") == 1


def test_too_many_missed_commits_are_left_to_the_readers(
    station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "FILL_MAX", 2)
    user = desk.player()
    station.relay()
    reader = station.reader(user)
    for row in range(4):
        desk.place(desk.bet(user, rows=row))
    station.skip_commits()
    desk.place(desk.bet(user, rows=5))
    station.relay()
    assert reader.subscriber.ended
    assert len(station.reader(user, asked=reader.cursor).ids("bet")) == 5


def test_a_redis_that_comes_back_empty_ends_the_readers_and_they_are_reset(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.publish("touched")
    station.relay()
    reader = station.reader(user)
    desk.client.flushall()
    desk.client.hset(redis_keys.EPOCH, mapping={"id": "E2", "since_s": 1})
    station._heard_public = station._heard_commits = "0-0"
    station.synchronize()
    assert reader.subscriber.ended
    again = station.reader(user, asked=reader.cursor)
    assert again.told[0].type == "reset"
    station.publish("touched")
    station.relay()
    assert [event.type for event in again.listen()] == ["touched"]


def test_a_database_that_went_back_ends_the_readers(
    station: Station, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    user = desk.player()
    station.relay()
    reader = station.reader(user)
    desk.database.execute("DELETE FROM commit_rows WHERE number = 1")
    with caplog.at_level(logging.ERROR):
        station.synchronize()
    assert reader.subscriber.ended
    assert "went back" in caplog.text
    assert station.reader(user, asked=reader.cursor).told[0].type == "reset"


def test_joining_and_leaving_leaves_nothing_behind(station: Station, desk: Desk) -> None:
    user = desk.player()
    readers = [station.reader(user if sequence % 2 else None) for sequence in range(200)]
    assert station.hub.count == 200
    for reader in readers:
        station.hub.unsubscribe(reader.subscriber)
        station.hub.unsubscribe(reader.subscriber)
    assert station.hub.count == 0
    assert station.hub._by_user == {}


def test_a_hub_that_has_not_begun_or_is_closed_or_full_takes_no_one(
    station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "READY_WAIT_S", 0.01)
    idle = Hub(station.market, choice.read_pool(desk.settings, station.clock))
    with pytest.raises(Unavailable, match="not ready"):
        idle.subscribe(Subscriber(frozenset()))
    monkeypatch.setattr(capacity, "SUBSCRIBERS_MAX", 3)
    # Of two processes each takes its part.
    monkeypatch.setattr(station.hub, "_workers", 2)
    reader = station.reader()
    with pytest.raises(Unavailable, match="Too many"):
        station.reader()
    station.hub.close()
    assert reader.subscriber.ended
    with pytest.raises(Unavailable):
        next(station.opening().chunks(Subscriber(frozenset()), ""))


@pytest.mark.parametrize(
    ("files", "workers", "most"),
    [(4_096, 1, 3_072), (4_096, 4, 2_750), (65_536, 1, 11_000), (resource.RLIM_INFINITY, 2, 5_500)],
)
def test_readers_leave_files_for_bets_and_refusals(
    monkeypatch: pytest.MonkeyPatch, files: int, workers: int, most: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert capacity.subscribers_max(workers) == most


def test_an_event_that_is_no_json_object_stops_no_reader(station: Station) -> None:
    reader = station.reader()
    with pytest.raises(ValueError, match="object"):
        station.hub.receive([PublicEvent("1790000000001-0", "touched", b"[]")], [])
    station.publish("touched")
    station.relay()
    assert [event.type for event in reader.listen()] == ["touched"]
