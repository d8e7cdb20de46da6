"""One run of a function as its handler sees it: what it is about, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from runtime.clock import Clock
from runtime.function_settings import NONE_GIVEN, FunctionSettings, own_settings
from runtime.messaging.connection import Redis
from runtime.postgresql import choice
from runtime.settings import Settings
from runtime.storage.database import Database, open_writer

B = TypeVar("B")
T = TypeVar("T")
F = TypeVar("F", bound=FunctionSettings)


class Event(msgspec.Struct, frozen=True):
    """Something that happened. It may be told again, with the same `id`."""

    id: str
    """`c{commit}.{n}` for what a commit wrote, the same as on the stream; never given twice to two events."""
    kind: str
    user_id: str | None
    data: dict[str, Any]
    """As the stream tells it."""

    def read(self, form: type[T]) -> T:
        """Return the data as a type of the stream's: `BetView`, `ColumnView` or `StatusEvent`."""
        return msgspec.convert(self.data, form)


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What messages of queues inherit, as `class Mail(Message, frozen=True)`: a misspelt field is refused."""


await_shards, shards_of = choice.await_shards, choice.shards_of
"""How many ledgers the house has whose events are to be followed."""


class Bench:
    """What the functions of one thread stand on; the database is opened when it is first asked for, read-only."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        client: Redis,
        function_settings: Mapping[str, FunctionSettings] = NONE_GIVEN,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.redis = client
        self.function_settings = function_settings
        """The settings of each function that declares some."""
        self._ledgers: dict[int, Database] = {}

    @cached_property
    def database(self) -> Database:
        """The live database, of a house of several ledgers all of them."""
        return choice.open_reader(self.settings)

    def ledger(self, shard: int) -> Database:
        """Return one ledger of the house, opened when it is first asked for."""
        if shard not in self._ledgers:
            self._ledgers[shard] = choice.open_reader(self.settings, shard)
        return self._ledgers[shard]

    @cached_property
    def store(self) -> Database:
        """What functions remember."""
        return open_writer(self.settings.functions_database)

    def close(self) -> None:
        """Let go of the databases that were opened."""
        for name in {"database", "store"} & self.__dict__.keys():
            self.__dict__[name].close()
        for ledger in self._ledgers.values():
            ledger.close()


class Run(Generic[B]):
    """One run: `Run[None]` of a schedule, `Run[Event]` of an event, `Run[Mail]` of a message."""

    __slots__ = ("attempt", "bench", "body", "id", "name")

    def __init__(self, name: str, run_id: str, body: B, bench: Bench, attempt: int = 1) -> None:
        self.name = name
        self.id = run_id
        """The event's or the message's id; the same when it comes again."""
        self.body = body
        self.bench = bench
        self.attempt = attempt

    @property
    def settings(self) -> Settings:
        """The settings of the house."""
        return self.bench.settings

    def own_settings(self, form: type[F]) -> F:
        """Return the settings that the function declares by `settings=form`; no other function is handed them."""
        return own_settings(self.bench.function_settings, self.name, form)

    @property
    def clock(self) -> Clock:
        """The clock; tests move it."""
        return self.bench.clock

    @property
    def redis(self) -> Redis:
        """The house's Redis."""
        return self.bench.redis

    @property
    def database(self) -> Database:
        """The live database, read-only: only the writer writes the ledger, and commands are the way to it."""
        return self.bench.database

    @property
    def store(self) -> Database:
        """functions.db, which functions write themselves: it survives the loss of Redis."""
        return self.bench.store
