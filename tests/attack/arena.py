"""The whole app in this process: every function, real sessions, the real queue, and a writer that works at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import msgspec
from falcon import testing

from runtime.auth.credentials import authenticator
from runtime.auth.domains import domains_of
from runtime.auth.operators import OperatorSessions, operator_authenticator
from runtime.auth.sessions import Sessions
from runtime.betting.admission import AdmissionControl
from runtime.betting.fate import Fates
from runtime.betting.intake import Intake
from runtime.clock import ManualClock
from runtime.function_files import functions_folder
from runtime.game.rewards import BrownianTouch
from runtime.health.writer_watch import WriterWatch
from runtime.history.past import Past
from runtime.history.shelves import Shelves
from runtime.market.state import Market
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import Answered, AnyCommand, Outcome
from runtime.messaging.connection import OUTAGES
from runtime.messaging.queues import EnqueueResult, Queue, Ticket, decode_answers
from runtime.messaging.rate_counter import RedisLimiter
from runtime.metrics.table import Metrics
from runtime.parts import Parts
from runtime.rate_limits import policies
from runtime.records.sittings import Sittings
from runtime.settings import Settings
from runtime.settings_table import TABLE
from runtime.storage import ticks_store
from runtime.storage.read_pool import ReadPool
from runtime.stream.hub import Hub
from runtime.web.app import create_app
from runtime.web.declaration import Function
from runtime.web.discovery import discover
from tests.backgrounds import idle
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

MANY = 10**9
RATES = tuple(row.field for row in TABLE if row.field.endswith(("_per_minute", "_per_day")))


@lru_cache(maxsize=1)
def all_functions() -> tuple[Function, ...]:
    """Find the project's functions, once."""
    return discover(functions_folder())


class Carrier:
    """Take tickets through the enqueue script to the desk's writer and bring its answers, as the outbox does."""

    def __init__(self, desk: Desk, origin: str) -> None:
        self.desk = desk
        self.origin = origin
        self._bets = Queue(desk.client, queues.BETS, origin, backlog_max=10_000)
        self._commands = Queue(desk.client, queues.COMMANDS, origin)

    def place(self, ticket: Ticket, *, until_queued: bool = False) -> Answered | EnqueueResult | None:
        """Queue a bet; the writer decides it at once, unless only the queueing is waited for."""
        [result] = self._bets.enqueue([ticket], self.desk.clock.now_ms())
        if result.code or until_queued:
            return result
        return self._answer()

    def submit(self, command: AnyCommand) -> Outcome:
        """Queue a command and let the writer do it."""
        self._commands.enqueue([Ticket(command)], self.desk.clock.now_ms())
        return self._answer().outcome()

    def _answer(self) -> Answered:
        self.desk.work()
        key = redis_keys.replies(self.origin)
        found: Any = self.desk.client.lrange(key, 0, -1)
        self.desk.client.delete(key)
        [answer] = [answer for data in found for answer in decode_answers(data)]
        return answer


class Instance:
    """One API process without its server: what it keeps in memory is its own, the rest is shared."""

    def __init__(self, desk: Desk, settings: Settings, name: str) -> None:
        self.desk = desk
        clock, client = desk.clock, desk.client
        self.pool = ReadPool(settings.database, clock)
        self.ticks_pool = ReadPool(settings.ticks_database, clock)
        self.sessions = Sessions(client, clock)
        self.market = Market(clock)
        self.parts = Parts(
            settings=settings,
            clock=clock,
            background=idle(clock),
            redis=client,
            pool=self.pool,
            past=Past(Shelves(self.pool, settings.data, clock)),
            ticks_pool=self.ticks_pool,
            outbox=cast("Any", Carrier(desk, name)),
            admission=AdmissionControl(settings.fill_delay_ms / 1000),
            sessions=self.sessions,
            operators=OperatorSessions(client, clock, settings.operators),
            sittings=Sittings(),
            market=self.market,
            hub=Hub(self.market, self.pool),
            writer_watch=WriterWatch(client),
            model=BrownianTouch(RULES, settings.house_edge_bp),
            rules=RULES,
            intake=Intake.of(settings, RULES),
            fates=Fates(client, self.pool, clock, settings.fill_delay_ms),
            run_id=name,
        )
        quotas = policies(settings)
        self.limiter = RedisLimiter(client, quotas, clock)
        authenticate = authenticator(self.sessions, domains_of(settings))
        app = create_app(
            all_functions(),
            parts=self.parts,
            authenticate=authenticate,
            authenticate_operator=operator_authenticator(self.parts.operators, domains_of(settings), authenticate),
            limiter=self.limiter,
            quotas=quotas,
            guards={
                "breaker": self.market.guard_breaker,
                "writer": self.parts.writer_watch.guard,
                "admission": self.parts.admission.guard,
            },
            clock=clock,
            metrics=Metrics(name),
            outages=OUTAGES,
            cors_origins=settings.cors_origins,
        )
        self.client = testing.TestClient(app)

    def close(self) -> None:
        """Let go of the databases."""
        for pool in (self.pool, self.ticks_pool):
            for connection in pool._idle:
                connection.database.close()


class Arena:
    """Two API processes in front of one writer, and a price that is always fresh."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self.desk = desk
        self.clock: ManualClock = desk.clock
        ticks_store.prepare(settings.ticks_database, desk.clock)
        desk.client.hset(redis_keys.EPOCH, mapping={"id": "e", "since_s": desk.clock.now_ms() // 1000 - 3600})
        self.settings = settings
        self.one = Instance(desk, settings, "api-1")
        self.two = Instance(desk, settings, "api-2")
        self.instances = (self.one, self.two)
        self.refresh()
        self._numbers = 0

    @property
    def now_ms(self) -> int:
        """The time in the arena."""
        return self.clock.now_ms()

    def nonce(self) -> str:
        """Return a nonce that was not used here."""
        self._numbers += 1
        return f"nonce{self._numbers:08d}"

    def refresh(self) -> None:
        """Publish a tick of this moment and a healthy breaker, and let both processes know."""
        self.desk.show(PRICE_CENTS)
        breaker = {"state": "HEALTHY", "since_ms": 1, "fresh_since_ms": 1, "override": "auto"}
        self.desk.client.set(redis_keys.BREAKER, msgspec.json.encode(breaker))
        for instance in self.instances:
            instance.market.synchronize(self.desk.client, "0-0")

    def advance(self, ms: int) -> None:
        """Let time pass, with prices."""
        self.clock.advance(ms)
        self.refresh()

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        return int(self.desk.database.execute(f"SELECT count(*) FROM {table}")[0][0])

    def close(self) -> None:
        """Let go of everything."""
        for instance in self.instances:
            instance.close()


@contextmanager
def open_arena(settings: Settings, clock: ManualClock, **limits: int) -> Iterator[Arena]:
    """Open an arena without rate limits but the given ones."""
    rates: dict[str, Any] = dict.fromkeys(RATES, MANY) | limits
    settings = replace(settings, **rates)
    withdrawals = settings.withdrawal_min_cents, settings.withdrawals_pending_max
    desk = Desk(settings.database, settings.redis_url, clock, withdrawals=withdrawals)
    arena = Arena(desk, settings)
    try:
        yield arena
    finally:
        arena.close()
        desk.close()
