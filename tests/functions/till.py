"""The functions about money and bets, in front of a real writer's desk that the test drives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import redis
from falcon import testing

from functions import deposits, get_bet, ledger, list_bets, processor_deposits
from runtime.auth.credentials import authenticator
from runtime.auth.domains import domains_of
from runtime.auth.sessions import Sessions
from runtime.betting.fate import Fates
from runtime.clock import ManualClock
from runtime.function_files import DECLARATION
from runtime.game.grid import GridRules
from runtime.game.rewards import BrownianTouch, RewardModel
from runtime.history.past import Past
from runtime.history.shelves import Shelves
from runtime.messaging.commands import AnyCommand, Outcome
from runtime.messaging.connection import OUTAGES
from runtime.messaging.rate_counter import RedisLimiter
from runtime.metrics.table import Metrics
from runtime.parts import Routes
from runtime.rate_limits import policies
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import open_writer
from runtime.storage.read_pool import ReadPool
from runtime.web.app import create_app
from runtime.web.declaration import Function
from tests.jobs.writer_desk import RULES, Desk

HANDLERS = (
    deposits.deposit,
    deposits.list_deposits,
    get_bet.get_bet,
    ledger.ledger,
    list_bets.list_bets,
    processor_deposits.processor_deposit,
)


class Counter:
    """Carry commands through the real queue to the desk's writer, and its answers back."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.answers = True
        self.asked: list[AnyCommand] = []

    def submit(self, command: AnyCommand) -> Outcome | None:
        """Queue, let the writer work, answer; or stay silent although it was done."""
        self.asked.append(command)
        outcome = self.desk.do(command)[0]
        return outcome if self.answers else None


@dataclass
class TillParts(Routes):
    """What these functions use of the parts."""

    settings: Settings
    clock: ManualClock
    redis: redis.Redis
    pool: ReadPool
    past: Past
    ticks_pool: ReadPool
    sessions: Sessions
    outbox: Counter
    model: RewardModel
    rules: GridRules
    fates: Fates


class Till:
    """An API process without its server; `settings` can be changed and the app opened anew."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self.desk = desk
        ticks_store.prepare(settings.ticks_database, desk.clock)
        pool = ReadPool(settings.database, desk.clock)
        self.parts = TillParts(
            settings=settings,
            clock=desk.clock,
            redis=desk.client,
            pool=pool,
            ticks_pool=ReadPool(settings.ticks_database, desk.clock),
            sessions=Sessions(desk.client, desk.clock),
            outbox=Counter(desk),
            model=BrownianTouch(RULES, 500),
            rules=RULES,
            past=Past(Shelves(pool, settings.data, desk.clock)),
            fates=Fates(desk.client, pool, desk.clock, settings.fill_delay_ms),
        )
        self.client = self._open()

    def _open(self) -> testing.TestClient:
        settings = self.parts.settings
        quotas = policies(settings)
        app = create_app(
            [_declared(handler) for handler in HANDLERS],
            parts=cast("Any", self.parts),
            authenticate=authenticator(self.parts.sessions, domains_of(settings)),
            limiter=RedisLimiter(self.desk.client, quotas, self.desk.clock),
            quotas=quotas,
            guards={},
            clock=self.desk.clock,
            metrics=Metrics("test"),
            outages=OUTAGES,
        )
        return testing.TestClient(app)

    def change(self, **settings: Any) -> None:
        """Change settings."""
        self.parts.settings = replace(self.parts.settings, **settings)

    def log_in(self, user_id: str, wallet: str = "0x" + "ab" * 20) -> dict[str, str]:
        """Start a session; its headers."""
        return {"Authorization": f"Bearer {self.parts.sessions.create(user_id, wallet, '192.0.2.7')[0]}"}

    def close(self) -> None:
        """Let go of the databases."""
        for pool in (self.parts.pool, self.parts.ticks_pool):
            for connection in pool._idle:
                connection.database.close()


@contextmanager
def open_till(desk: Desk, settings: Settings) -> Iterator[Till]:
    """Open a till in front of a desk."""
    till = Till(desk, settings)
    try:
        yield till
    finally:
        till.close()


def open_ticks(settings: Settings) -> Any:
    """Open the recorded ticks for writing."""
    return open_writer(settings.ticks_database)


def _declared(handler: Any) -> Function:
    declaration: Function = getattr(handler, DECLARATION)
    return replace(declaration, name=handler.__name__, file=handler.__module__)
