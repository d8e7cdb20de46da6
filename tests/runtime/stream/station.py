"""A hub over a real database and a real Redis, moved by the test, and readers that write down what they are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
import redis

from runtime.clock import ManualClock
from runtime.game.breaker import Breaker, State
from runtime.market.state import Market
from runtime.messaging import redis_keys
from runtime.messaging.bus import PublicEvent, PublishedCommit, order
from runtime.postgresql import choice
from runtime.stream import sse
from runtime.stream.hub import Hub
from runtime.stream.opening import Opening
from runtime.stream.rounds import Rounds
from runtime.stream.subscriber import Subscriber
from tests.jobs.writer_desk import PRICE_CENTS, Desk, tick_at


@dataclass(frozen=True)
class Told:
    """One event as a reader got it."""

    type: str
    id: str
    data: dict[str, Any]

    @property
    def event_id(self) -> str:
        """What identifies it everywhere."""
        return str(self.data["event_id"])


def read_events(stream: bytes) -> list[Told]:
    """Read the events of a piece of a stream."""
    events = []
    for block in stream.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            events.append(Told(fields["event"], fields.get("id", ""), msgspec.json.decode(fields["data"])))
    return events


class Reader:
    """A client: its events in the order in which they came."""

    def __init__(
        self,
        station: Station,
        user_id: str | None = None,
        *,
        asked: str = "",
        events: str = "",
        session: str | None = None,
        changes: bool = False,
        brief: bool = False,
    ) -> None:
        self._hub = station.hub
        self.cuts: list[bool] = []
        self.subscriber = Subscriber(
            sse.wanted(events, changes=changes, brief=brief),
            user_id=user_id,
            session_id=session,
            cut=lambda: self.cuts.append(True),
        )
        self._opening = station.opening().chunks(self.subscriber, asked)
        self.told: list[Told] = []

    def open(self) -> Reader:
        """Take the whole beginning."""
        self.told += read_events(b"".join(self._opening))
        return self

    def begin(self) -> Reader:
        """Take the first chunk of the beginning only."""
        self.told += read_events(next(self._opening))
        return self

    def listen(self) -> list[Told]:
        """Take what waits, if anything does; return it."""
        new = read_events(self._hub.take(self.subscriber)) if self.subscriber.wake.is_set() else []
        self.told += new
        return new

    @property
    def cursor(self) -> str:
        """The id that this client would send when it reconnects."""
        return next((event.id for event in reversed(self.told) if event.id), "")

    def ids(self, *types: str) -> list[str]:
        """Return the event ids that were told, of some types."""
        return [event.event_id for event in self.told if event.type in (types or sse.EVERYTHING)]


class Station:
    """One process's market and streams; `relay` brings it what is on the bus, when the test wants it."""

    def __init__(self, desk: Desk, clock: ManualClock) -> None:
        self.desk = desk
        self.clock = clock
        self.client: redis.Redis = desk.client
        self.market = Market(clock)
        self.pool = choice.read_pool(desk.settings, clock)
        self.hub = Hub(self.market, self.pool)
        self.rounds = Rounds(self.hub, clock, lambda: None)
        self._heard_public = "0-0"
        self._heard_commits = "0-0"
        self._numbers = 0

    def synchronize(self) -> None:
        """Do what the bus' reader does at its start and every five seconds."""
        for listener in (self.market, self.hub):
            listener.synchronize(self.client, self._heard_public)
        self.rounds.round()

    def start(self) -> None:
        """Begin at the end of the bus."""
        self._heard_public = self._newest(redis_keys.BUS_PUBLIC)
        self._heard_commits = self._newest(redis_keys.BUS_COMMITS)
        self.synchronize()

    def relay(self) -> None:
        """Bring the hub all that is new on the bus, in one reading, and let it pass it on to everybody."""
        self.bring()
        self.rounds.round()

    def bring(self) -> None:
        """Bring the hub all that is new on the bus, in one reading; no round follows."""
        public: Any = self.client.xrange(redis_keys.BUS_PUBLIC, min=f"({self._heard_public}")
        commits: Any = self.client.xrange(redis_keys.BUS_COMMITS, min=f"({self._heard_commits}")
        events = [PublicEvent(one.decode(), fields[b"type"].decode(), fields[b"data"]) for one, fields in public]
        news = [PublishedCommit(int(fields[b"commit"]), fields[b"events"]) for _, fields in commits]
        self._heard_public = events[-1].id if events else self._heard_public
        self._heard_commits = commits[-1][0].decode() if commits else self._heard_commits
        for listener in (self.market, self.hub):
            listener.receive(events, news)

    def skip_commits(self) -> None:
        """Lose the commits that are on the bus."""
        self._heard_commits = self._newest(redis_keys.BUS_COMMITS)

    def publish(self, kind: str, **data: Any) -> str:
        """Put a public event on the bus; its id there."""
        self._numbers += 1
        shapes: dict[str, Any] = {
            "price": msgspec.to_builtins(tick_at(self.clock.now_ms() + self._numbers)),
            "status": Breaker(State.HEALTHY, 1, 1).to_dict(),
        }
        encoded = msgspec.json.encode({**shapes.get(kind, {}), "number": self._numbers, **data})
        moment = f"{self.clock.now_ms()}-*"
        stream_id: Any = self.client.xadd(redis_keys.BUS_PUBLIC, {"type": kind, "data": encoded}, id=moment)
        return str(stream_id.decode())

    def opening(self) -> Opening:
        """Return what begins streams now."""
        return Opening(self.hub, self.market, "run-1", "demo", self.clock.now_ms(), Random(1))

    def reader(
        self,
        user_id: str | None = None,
        *,
        asked: str = "",
        events: str = "",
        session: str | None = None,
        changes: bool = False,
        brief: bool = False,
    ) -> Reader:
        """Connect a client and give it its whole beginning."""
        return Reader(self, user_id, asked=asked, events=events, session=session, changes=changes, brief=brief).open()

    def _newest(self, name: str) -> str:
        page: Any = self.client.xrevrange(name, count=1)
        return page[0][0].decode() if page else "0-0"


@contextmanager
def open_station(desk: Desk, clock: ManualClock) -> Iterator[Station]:
    """Open a station that has begun."""
    desk.client.hset(redis_keys.EPOCH, mapping={"id": "E1", "since_s": 0})
    station = Station(desk, clock)
    station.start()
    yield station


def a_round(desk: Desk, user: str, *, rows: int = 0, columns: int = 3) -> int:
    """Cursor a bet and let its column settle; return the column's start."""
    bet = desk.bet(user, rows=rows, columns=columns)
    desk.place(bet)
    start_s = int(bet.cell_id.split("_")[0])
    desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    return start_s


def assert_places_rise(told: list[Told]) -> None:
    """Check that each event has a place, and that none is before the one of the event before it."""
    places = [sse.parse_cursor(event.id) for event in told]
    keys = [(order(cursor.public), cursor.committed) for cursor in places if cursor is not None]
    assert len(keys) == len(told)
    assert keys == sorted(keys)
