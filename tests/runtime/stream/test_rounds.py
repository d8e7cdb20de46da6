"""Rounds: who is served by the hub itself, what becomes of a part that is left, and that everybody has a sequence."""

from __future__ import annotations

import logging
import threading
from functools import partial

import pytest

from runtime.stream import rounds, sse
from runtime.stream.connection import StreamConnection
from runtime.stream.rounds import Rounds
from runtime.stream.subscriber import Subscriber
from runtime.stream.sweeper import STALLED_LOOKS, Sweeper
from tests.backgrounds import threads
from tests.jobs.writer_desk import Desk
from tests.runtime.stream.station import Station, Told, read_events
from tests.waiting import wait_until


class Line:
    """A connection with room for so many chunks."""

    def __init__(self, room: int = 1_000) -> None:
        self.room = room
        self.chunks: list[bytes] = []

    def offer(self, chunk: bytes) -> bool:
        """Keep the chunk; what does not fit is left."""
        self.chunks.append(chunk)
        return len(self.chunks) <= self.room

    def told(self) -> list[Told]:
        """Return the events so far."""
        return read_events(b"".join(self.chunks))


class Parked:
    """A reader whose connection waits in a thread of its own, and the chunks that it brings itself."""

    def __init__(self, station: Station, line: Line, user: str | None = None, events: str = "") -> None:
        self.subscriber = Subscriber(sse.wanted(events), user_id=user, sink=line)
        opening = station.opening().chunks(self.subscriber, "")
        self._hub = station.hub
        self._connection = StreamConnection(station.hub, self.subscriber, opening, station.clock)
        self.own: list[bytes] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_until(lambda: self.subscriber.parked)

    def _read(self) -> None:
        for chunk in self._connection:
            self.own.append(chunk)

    def end(self) -> list[bytes]:
        """End it; return what came after its beginning by the connection's own doing."""
        self._hub.end([self.subscriber])
        self._thread.join(5)
        return self.own[1:]


def types(told: list[Told]) -> list[str]:
    return [event.type for event in told]


def test_a_reader_that_waits_is_served_without_being_woken(station: Station) -> None:
    lines = [Line(), Line()]
    readers = [Parked(station, line) for line in lines]
    for kind in ("price", "grid"):
        station.publish(kind)
    station.relay()
    station.publish("touched")
    station.publish("price")
    station.relay()
    station.rounds.round()
    assert [types(line.told()) for line in lines] == [["price", "grid", "touched", "price"]] * 2
    assert lines[0].chunks[0] is lines[1].chunks[0], "written once for both"
    assert [len(line.chunks) for line in lines] == [2, 2]
    assert [reader.end() for reader in readers] == [[], []]


def test_a_filter_holds_for_what_is_shared(station: Station) -> None:
    everything, prices, grids = Line(), Line(), Line()
    readers = [
        Parked(station, everything),
        Parked(station, prices, events="price"),
        Parked(station, grids, events="grid"),
    ]
    station.publish("grid")
    station.publish("price")
    station.relay()
    station.publish("price")
    station.relay()
    assert types(everything.told()) == ["grid", "price", "price"]
    assert types(prices.told()) == ["price", "price"]
    assert types(grids.told()) == ["grid"]
    assert [reader.end() for reader in readers] == [[], [], []]


def test_what_is_left_is_for_the_connection_to_send_before_anything_else(station: Station) -> None:
    line = Line(room=0)
    reader = Parked(station, line)
    station.publish("price")
    station.relay()
    wait_until(lambda: len(reader.own) == 2)
    assert reader.own[1] == b"", "nothing but the rest of the chunk"
    wait_until(lambda: reader.subscriber.parked and not reader.subscriber.wake.is_set())
    line.room = 1_000
    station.publish("price")
    station.relay()
    assert types(line.told()) == ["price", "price"]
    assert reader.end() == [b""]


def test_nothing_is_written_past_a_connection_that_has_something_in_hand(station: Station) -> None:
    line = Line()
    subscriber = Subscriber(sse.EVERYTHING, sink=line)
    connection = StreamConnection(station.hub, subscriber, station.opening().chunks(subscriber, ""), station.clock)
    next(connection)
    station.publish("price")
    station.relay()
    assert line.chunks == []
    assert types(read_events(next(connection))) == ["price"]


def test_ones_own_events_do_not_wait_for_a_round(station: Station, desk: Desk) -> None:
    user = desk.player()
    station.relay()
    mine, other = Line(), Line()
    readers = [Parked(station, mine, user), Parked(station, other)]
    station.publish("price")
    desk.place(desk.bet(user))
    station.bring()
    assert sorted(types(mine.told())) == ["balance", "bet", "price"]
    assert other.chunks == []
    station.rounds.round()
    assert types(other.told()) == ["price"]
    assert len(mine.told()) == 3
    assert [reader.end() for reader in readers] == [[], []]


def test_a_round_reaches_everybody_a_slice_at_a_time(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SLICE", 3)
    readers = [station.reader() for _ in range(10)]
    sizes: list[int] = []
    serve = station.hub.serve

    def count(some: list[Subscriber]) -> None:
        sizes.append(len(some))
        serve(some)

    monkeypatch.setattr(station.hub, "serve", count)
    station.publish("touched")
    station.bring()
    sizes.clear()
    station.rounds.round()
    assert sizes == [3, 3, 3, 1]
    assert all(types(reader.listen()) == ["touched"] for reader in readers)


def test_who_is_parked_is_left_to_the_rounds_until_something_remains(station: Station, desk: Desk) -> None:
    line, resumed = Line(), list[bool]()
    subscriber = Subscriber(sse.EVERYTHING, sink=line)
    connection = StreamConnection(station.hub, subscriber, station.opening().chunks(subscriber, ""), station.clock)
    assert not connection.park(lambda: resumed.append(True)), "its beginning is due"
    next(connection)
    assert connection.park(lambda: resumed.append(True))
    station.publish("price")
    station.relay()
    assert types(line.told()) == ["price"]
    station.clock.advance(sse.HEARTBEAT_MS)
    sweeper = Sweeper(station.hub, desk.client, station.clock)
    sweeper.sweep()
    sweeper.sweep()
    assert line.chunks[1:] == [sse.HEARTBEAT]
    assert resumed == []
    line.room = 2
    station.publish("price")
    station.relay()
    station.publish("price")
    station.relay()
    assert resumed == [True], "once, for what is left"
    assert next(connection) == b""
    assert not connection.park(lambda: resumed.append(True)), "the next price is due"
    assert types(read_events(next(connection))) == ["price"]
    assert connection.park(lambda: resumed.append(True))
    station.hub.end([subscriber])
    assert resumed == [True, True]
    assert list(connection) == []


def test_who_is_parked_is_ended_with_its_session_and_cut_if_nothing_is_taken(station: Station, desk: Desk) -> None:
    resumed, cut = list[str](), list[bool]()
    line = Line(room=0)
    signed_out = Subscriber(sse.EVERYTHING, session_id="gone", sink=Line())
    stuck = Subscriber(sse.EVERYTHING, sink=line, cut=lambda: cut.append(True))
    connections = [
        StreamConnection(station.hub, one, station.opening().chunks(one, ""), station.clock)
        for one in (signed_out, stuck)
    ]
    for name, connection in zip(("signed out", "stuck"), connections, strict=True):
        next(connection)
        assert connection.park(partial(resumed.append, name))
    sweeper = Sweeper(station.hub, desk.client, station.clock)
    sweeper.sweep()
    assert resumed == ["signed out"]
    assert list(connections[0]) == []
    connections[0].close()
    station.publish("price")
    station.relay()
    assert resumed == ["signed out", "stuck"], "the rest waits for a connection that hangs in its write"
    for _ in range(STALLED_LOOKS):  # the first one sees that it took something
        sweeper.sweep()
    assert cut == []
    sweeper.sweep()
    assert (cut, station.hub.count) == ([True], 0)


def test_rounds_go_on_after_one_that_failed_until_they_are_stopped(
    station: Station, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds, reader = Rounds(station.hub, station.clock, lambda: None), station.reader()
    failed = threading.Event()

    def fail() -> None:
        monkeypatch.undo()
        failed.set()
        raise ValueError("no list")

    monkeypatch.setattr(station.hub, "subscribers", fail)
    station.publish("price")
    station.bring()
    with threads() as background, caplog.at_level(logging.ERROR):
        rounds.start(background)
        assert failed.wait(5)
        station.publish("touched")
        station.bring()
        assert reader.subscriber.wake.wait(5)
        rounds.stop()
    assert types(reader.listen()) == ["price", "touched"]
    assert "the background work rounds ended" in caplog.text
