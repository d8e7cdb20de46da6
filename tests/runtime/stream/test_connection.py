"""One open stream, and the caretaker of all: signs of life, ends of sessions, readers that hang."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from runtime.errors import Unavailable
from runtime.messaging import redis_keys
from runtime.messaging.connection import RedisError
from runtime.messaging.connection import connect as redis_at
from runtime.stream import sse
from runtime.stream.connection import StreamConnection
from runtime.stream.subscriber import Subscriber
from runtime.stream.sweeper import ENDED_LOOKS, STALLED_LOOKS, Sweeper
from tests.backgrounds import threads
from tests.jobs.writer_desk import Desk
from tests.runtime.stream.station import Station, read_events
from tests.waiting import wait_until


def connect(station: Station, user: str | None = None) -> tuple[StreamConnection, Subscriber]:
    subscriber = Subscriber(sse.EVERYTHING, user_id=user)
    return StreamConnection(
        station.hub, subscriber, station.opening().chunks(subscriber, ""), station.clock
    ), subscriber


def test_chunks_are_the_beginning_then_what_is_new_then_signs_of_life(station: Station) -> None:
    connection, _ = connect(station)
    assert [event.type for event in read_events(next(connection))] == ["hello", "snapshot"]
    for _ in range(2):
        station.publish("touched")
        station.publish("price")
    station.relay()
    assert [event.type for event in read_events(next(connection))] == ["touched", "price"] * 2
    station.clock.advance(sse.HEARTBEAT_MS)
    assert next(connection) == sse.HEARTBEAT
    station.publish("price")
    station.relay()
    assert [event.type for event in read_events(next(connection))] == ["price"]
    station.clock.advance(sse.HEARTBEAT_MS - 1)
    station.publish("price")
    station.relay()
    assert next(connection) != sse.HEARTBEAT
    station.clock.advance(1)
    assert next(connection) == sse.HEARTBEAT


def test_a_waiting_reader_is_woken_by_the_event(station: Station) -> None:
    connection, subscriber = connect(station)
    next(connection)
    heard: list[bytes] = []
    thread = threading.Thread(target=lambda: heard.append(next(connection)), daemon=True)
    thread.start()
    station.publish("touched")
    station.relay()
    thread.join(5)
    assert [event.type for event in read_events(heard[0])] == ["touched"]
    assert not subscriber.wake.is_set()


def test_an_ended_reader_is_woken_and_its_stream_ends(station: Station) -> None:
    connection, subscriber = connect(station)
    next(connection)
    ended: list[list[bytes]] = []
    thread = threading.Thread(target=lambda: ended.append(list(connection)), daemon=True)
    thread.start()
    station.hub.end([subscriber])
    thread.join(5)
    assert ended == [[]]
    connection.close()
    connection.close()
    assert station.hub.count == 0


def test_closed_before_its_first_chunk_it_leaves_all_the_same(station: Station) -> None:
    connections = [connect(station)[0] for _ in range(200)]
    assert station.hub.count == 200
    for connection in connections:
        connection.close()
    assert station.hub.count == 0


def test_a_refusal_at_the_beginning_is_raised_at_once_and_leaves_nothing(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_: str) -> None:
        raise Unavailable

    monkeypatch.setattr(station.hub.record, "account", unreadable)
    with pytest.raises(Unavailable):
        connect(station, "01SOMEUSER0000000000000000")
    assert station.hub.count == 0


def test_a_refusal_later_in_the_beginning_ends_the_stream(station: Station, caplog: pytest.LogCaptureFixture) -> None:
    def opening(subscriber: Subscriber) -> Iterator[bytes]:
        station.hub.subscribe(subscriber)
        yield b"first"
        raise Unavailable("The database could not be read in time.")

    subscriber = Subscriber(sse.EVERYTHING)
    connection = StreamConnection(station.hub, subscriber, opening(subscriber), station.clock)
    with caplog.at_level(logging.WARNING):
        assert list(connection) == [b"first"]
    assert "while it caught up" in caplog.text


def a_session(desk: Desk, session_id: str) -> None:
    desk.client.hset(redis_keys.session(session_id), "user_id", "u")


def test_the_streams_of_an_ended_session_end_within_a_look(station: Station, desk: Desk) -> None:
    for name in ("a", "b"):
        a_session(desk, name)
    readers = [station.reader(session=name) for name in ("a", "b", "b")]
    guest = station.reader()
    sweeper = Sweeper(station.hub, desk.client, station.clock)
    sweeper.sweep()
    assert not any(reader.subscriber.ended for reader in readers)
    desk.client.delete(redis_keys.session("b"))
    sweeper.sweep()
    assert [reader.subscriber.ended for reader in readers] == [False, True, True]
    assert not guest.subscriber.ended


def test_the_streams_of_a_session_that_ran_out_end_without_redis(station: Station, desk: Desk) -> None:
    readers = [station.reader(session=name) for name in ("a", "b")]
    readers[0].subscriber.expires_ms = station.clock.now_ms()
    readers[1].subscriber.expires_ms = station.clock.now_ms() + 1
    with pytest.raises(RedisError):
        Sweeper(station.hub, redis_at("redis://127.0.0.1:1/0"), station.clock).sweep()
    assert [reader.subscriber.ended for reader in readers] == [True, False]


def test_a_stream_that_is_ended_while_it_catches_up_tells_nothing_more(station: Station) -> None:
    def opening(subscriber: Subscriber) -> Iterator[bytes]:
        yield b"first"
        station.hub.end([subscriber])
        yield b"second"

    subscriber = Subscriber(sse.EVERYTHING)
    assert list(StreamConnection(station.hub, subscriber, opening(subscriber), station.clock)) == [b"first"]


def test_many_sessions_are_asked_for_in_few_commands(
    station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.stream.sweeper.SESSIONS_PER_COMMAND", 3)
    names = [f"s{number}" for number in range(8)]
    for name in names:
        a_session(desk, name)
    readers = {name: station.reader(session=name) for name in names}
    desk.client.delete(redis_keys.session("s1"), redis_keys.session("s7"))
    Sweeper(station.hub, desk.client, station.clock).sweep()
    assert {name for name, reader in readers.items() if reader.subscriber.ended} == {"s1", "s7"}


def test_a_reader_that_takes_nothing_for_long_is_cut(station: Station, desk: Desk) -> None:
    hanging, idle, quick = station.reader(), station.reader(events="status"), station.reader()
    sweeper = Sweeper(station.hub, desk.client, station.clock)
    for _ in range(STALLED_LOOKS + 1):
        station.publish("price")
        station.relay()
        quick.listen()
        sweeper.sweep()
    assert hanging.cuts == [True]
    assert (idle.cuts, quick.cuts) == ([], [])
    assert station.hub.count == 2


def test_an_ended_reader_whose_server_does_not_let_go_is_cut_soon(station: Station, desk: Desk) -> None:
    reader = station.reader()
    station.hub.end([reader.subscriber])
    sweeper = Sweeper(station.hub, desk.client, station.clock)
    sweeper.sweep()
    assert reader.cuts == []
    for _ in range(ENDED_LOOKS):
        sweeper.sweep()
    assert reader.cuts == [True]
    assert station.hub.count == 0


def test_the_sweeper_outlives_errors(
    station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("runtime.stream.sweeper.EVERY_S", 0.01)
    a_session(desk, "a")
    reader = station.reader(session="a")
    sweeper = Sweeper(station.hub, desk.client, station.clock)
    good: Callable[[], list[Subscriber]] = station.hub.subscribers
    failures = iter([True])

    def failing_once() -> list[Subscriber]:
        if next(failures, False):
            raise RuntimeError("a bug")
        return good()

    monkeypatch.setattr(station.hub, "subscribers", failing_once)
    with threads() as background:
        sweeper.start(background)
        wait_until(lambda: "the background work sweeper ended" in caplog.text)
        desk.client.delete(redis_keys.session("a"))
        wait_until(lambda: reader.subscriber.ended)
        sweeper.stop()
