"""The functions about who is asking, on a real Redis and a real database, with the writer's own code in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import redis
from falcon import testing

from functions import guest, limits, login, logout, me, sessions
from jobs.writer.accounts import open_account, set_limits
from jobs.writer.book import Book
from runtime.auth.credentials import authenticator
from runtime.auth.domains import domains_of
from runtime.auth.sessions import Sessions
from runtime.clock import ManualClock
from runtime.function_files import DECLARATION
from runtime.game.limits import RiskLimits
from runtime.messaging import redis_keys
from runtime.messaging.commands import AnyCommand, OpenAccount, Outcome, SetLimits
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.rate_counter import RedisLimiter
from runtime.metrics.table import Metrics
from runtime.parts import Routes
from runtime.rate_limits import policies
from runtime.settings import Settings
from runtime.storage.database import LEDGER_MIGRATIONS, open_writer
from runtime.storage.migrate import migrate
from runtime.storage.read_pool import ReadPool
from runtime.web.app import create_app
from runtime.web.declaration import Function
from tests.runtime.auth.logins import message, signed

HANDLERS = (
    login.login,
    guest.guest,
    logout.logout,
    sessions.list_sessions,
    sessions.revoke_session,
    me.me,
    limits.get_limits,
    limits.put_limits,
)


class WriterInPlace:
    """Commit a command at once, with the writer's own code."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.answers = True

    def submit(self, command: AnyCommand) -> Outcome | None:
        """Commit and answer, or stay silent."""
        if not self.answers:
            return None
        with self._book.commit(lambda _: None) as commit:
            match command:
                case OpenAccount():
                    return open_account(commit, self._book.seals, command)
                case SetLimits():
                    return set_limits(commit, self._book, command, house_minutes=60)
        raise AssertionError(f"nobody sends {command} here")


@dataclass
class PartsInPlace(Routes):
    """What these functions use of the parts."""

    settings: Settings
    clock: ManualClock
    redis: Redis
    pool: ReadPool
    outbox: WriterInPlace
    sessions: Sessions


@dataclass
class House:
    """An API process without its server, and what stands behind it."""

    client: testing.TestClient
    parts: PartsInPlace

    @property
    def now_ms(self) -> int:
        """The time in the house."""
        return self.parts.clock.now_ms()

    def post_login(self, text: str, signature: str, **headers: str) -> testing.Result:
        """Send a login."""
        body = {"message": text, "signature": signature}
        return self.client.simulate_post("/api/auth/login", json=body, headers=_headers(headers))

    def log_in(self, *, key: bytes = b"\x11" * 32, **changed: Any) -> str:
        """Log in and return the token."""
        result = self.post_login(*signed(message(self.now_ms, **changed).to_text(), key))
        assert result.status_code == 200, result.text
        return str(result.json["token"])

    def call(self, method: str, path: str, token: str = "", **headers: str) -> testing.Result:
        """Send a request as the owner of a token."""
        given = _headers(headers)
        if token:
            given["Authorization"] = f"Bearer {token}"
        return self.client.simulate_request(method, path, headers=given)

    def user_id_of(self, wallet: str) -> str:
        """Return the id of a wallet's account."""
        return str(self.parts.pool.rows("SELECT id FROM users WHERE wallet_address = ?", (wallet,))[0]["id"])

    def count(self, table: str) -> int:
        """Count a table's rows."""
        return int(self.parts.pool.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def app_of(parts: PartsInPlace) -> testing.TestClient:
    """Build the app of these functions alone."""
    quotas = policies(parts.settings)
    return testing.TestClient(
        create_app(
            [_declared(handler) for handler in HANDLERS],
            parts=cast("Any", parts),
            authenticate=authenticator(parts.sessions, domains_of(parts.settings)),
            limiter=RedisLimiter(cast("Any", parts.redis), quotas, parts.clock),
            quotas=quotas,
            guards={},
            clock=parts.clock,
            metrics=Metrics("test"),
            outages=OUTAGES,
        )
    )


@contextmanager
def open_house(settings: Settings, client: redis.Redis, clock: ManualClock) -> Iterator[House]:
    """Open a house over the settings' folder; its Redis has run for an hour."""
    migrate(settings.database, LEDGER_MIGRATIONS, clock)
    writer, pool = open_writer(settings.database), ReadPool(settings.database, clock)
    client.hset(redis_keys.EPOCH, mapping={"id": "e", "since_s": clock.now_ms() // 1000 - 3600})
    book = Book(writer, clock, RiskLimits(10**9, 10**9, 10**9, 10**9))
    parts = PartsInPlace(settings, clock, client, pool, WriterInPlace(book), Sessions(client, clock))
    try:
        yield House(app_of(parts), parts)
    finally:
        for connection in pool._idle:
            connection.database.close()
        writer.close()


def _declared(handler: Any) -> Function:
    declaration: Function = getattr(handler, DECLARATION)
    return replace(declaration, name=handler.__name__, file=handler.__module__)


def _headers(given: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in given.items()}
