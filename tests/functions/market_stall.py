"""The functions about prices and events, over a real Redis and real databases, without a server around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import redis
from falcon import testing

from functions import columns, grid, price, prices, stream
from runtime.auth.credentials import authenticator
from runtime.auth.domains import domains_of
from runtime.auth.sessions import Sessions
from runtime.clock import ManualClock
from runtime.function_files import DECLARATION
from runtime.messaging.connection import OUTAGES
from runtime.messaging.rate_counter import RedisLimiter
from runtime.metrics.table import Metrics
from runtime.rate_limits import policies
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import open_writer
from runtime.storage.read_pool import ReadPool
from runtime.web.app import App, create_app
from runtime.web.declaration import Function
from tests.jobs.writer_desk import Desk, tick_at
from tests.runtime.stream.station import Station, Told, open_station, read_events

HANDLERS = (columns.column, grid.grid, price.price, prices.prices, stream.stream)


@dataclass
class StallParts:
    """What these functions use of the parts."""

    settings: Settings
    clock: ManualClock
    redis: redis.Redis
    pool: ReadPool
    ticks_pool: ReadPool
    sessions: Sessions
    market: Any
    hub: Any
    run_id: str = "run-1"


class Listening:
    """One open stream, driven as a WSGI server drives it."""

    def __init__(self, app: App, path: str, query: str, headers: dict[str, str]) -> None:
        self._app = app
        self._started = testing.StartResponseMock()
        self._chunks: Any = app(testing.create_environ(path, query_string=query, headers=headers), self._started)

    @property
    def status(self) -> str:
        """The answer's status line."""
        return str(self._started.status)

    @property
    def headers(self) -> dict[str, str]:
        """The answer's header fields, by lower-case name."""
        return {name.lower(): value for name, value in self._started.headers or ()}

    def chunk(self) -> bytes:
        """Take the next piece."""
        return cast("bytes", next(iter(self._chunks)))

    def events(self) -> list[Told]:
        """Take the next piece as events."""
        return read_events(self.chunk())

    def close(self) -> None:
        """Go, as the server says when the client has gone."""
        self._chunks.close()


class Stall:
    """An API process without its server, behind a writer and a feed that the test moves."""

    def __init__(self, station: Station, settings: Settings) -> None:
        self.station = station
        self.clock = station.clock
        ticks_store.prepare(settings.ticks_database, station.clock)
        self.ticks = open_writer(settings.ticks_database)
        self.sessions = Sessions(station.client, station.clock)
        self.parts = StallParts(
            settings=settings,
            clock=station.clock,
            redis=station.client,
            pool=station.pool,
            ticks_pool=ReadPool(settings.ticks_database, station.clock),
            sessions=self.sessions,
            market=station.market,
            hub=station.hub,
        )
        quotas = policies(settings)
        self.app = create_app(
            [_declared(handler) for handler in HANDLERS],
            parts=cast("Any", self.parts),
            authenticate=authenticator(self.sessions, domains_of(settings)),
            limiter=RedisLimiter(station.client, quotas, station.clock),
            quotas=quotas,
            guards={},
            clock=station.clock,
            metrics=Metrics("test"),
            outages=OUTAGES,
        )
        self.client = testing.TestClient(self.app)

    def get(self, path: str, **params: Any) -> testing.Result:
        """Ask for something."""
        return self.client.simulate_get(path, params=params)

    def log_in(self, user_id: str) -> str:
        """Start a session; its token."""
        return self.sessions.create(user_id, "0x" + "ab" * 20, "192.0.2.7")[0]

    def listen(self, query: str = "", *, token: str = "", **headers: str) -> Listening:
        """Open a stream."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        return Listening(self.app, "/api/stream", query, given)

    def tick(self, ms: int, close: int, *, low: int | None = None, high: int | None = None) -> None:
        """Store a tick."""
        low, high = min(close, low or close), max(close, high or close)
        ticks_store.append(self.ticks, tick_at(ms, close, low=low, high=high))


@contextmanager
def open_stall(settings: Settings, clock: ManualClock) -> Iterator[Stall]:
    """Open a stall whose hub has begun."""
    desk = Desk(settings.database, settings.redis_url, clock)
    with open_station(desk, clock) as station:
        stall = Stall(station, settings)
        try:
            yield stall
        finally:
            stall.ticks.close()
            desk.close()


def ids(rows: Sequence[dict[str, Any]], name: str = "id") -> list[int]:
    """Return one field of each row."""
    return [row[name] for row in rows]


def _declared(handler: Any) -> Function:
    declaration: Function = getattr(handler, DECLARATION)
    return replace(declaration, name=handler.__name__, file=handler.__module__)
