"""What functions are tried on, in one process: real Redis, real databases, a writer that works at once, one price.

`taptrade invoke` runs on one by the machine's clock; taptrade.trial adds what tests want of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from falcon import testing

from runtime.auth.credentials import authenticator
from runtime.auth.domains import domains_of
from runtime.auth.operators import COOKIE, operator_authenticator
from runtime.background import Background
from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.function_files import functions_folder
from runtime.function_settings import FunctionSettings, file_of, given_to, settings_of
from runtime.messaging.connection import OUTAGES, connect
from runtime.messaging.rate_counter import RedisLimiter
from runtime.metrics.table import Metrics
from runtime.parts import Parts
from runtime.rate_limits import policies
from runtime.settings import Settings
from runtime.storage import function_store, ticks_store
from runtime.storage.database import LEDGER_MIGRATIONS
from runtime.storage.migrate import migrate
from runtime.triggers.declaration import Trigger
from runtime.triggers.discovery import triggers_in
from runtime.triggers.run import Bench, Event, Run
from runtime.web.app import create_app
from runtime.web.declaration import Function
from runtime.web.discovery import discover
from runtime.wiring import GUARDS, assembled
from taptrade.trial_events import made_event
from taptrade.trial_market import be_well, tick_of
from taptrade.trial_writer import Carrier, NoWriter, TrialWriter

SESSION = "Authorization"
"""The header field that a session stands in."""
OPERATOR = "0x" + "0e" * 20
"""The wallet that operates."""
NETWORK = "192.0.2.1"
"""The address that everybody comes from: one of documentation."""
NOTHING: Mapping[str, Any] = {}
C = TypeVar("C", bound=Clock)


class Owner(Protocol):
    """Whose session it is."""

    @property
    def user_id(self) -> str:
        """The account's id."""
        ...

    @property
    def wallet(self) -> str:
        """The account's address."""
        ...


class NoSuchFunction(TaptradeError):
    """There is no function of this name."""


class NothingIsWritten(TaptradeError):
    """The trial reads only."""


class WrongBody(TaptradeError):
    """A function takes another message or event than it was given."""


def completed(trigger: Trigger, given: dict[str, Any]) -> dict[str, Any]:
    """Return an event of a kind that a function is told of; what is not given is that of an example."""
    kind, data = given.get("kind", min(trigger.kinds)), given.get("data", {})
    if kind not in trigger.kinds or not isinstance(data, dict):
        raise WrongBody(f"{trigger.name} is told of {', '.join(sorted(trigger.kinds))}, with an object as `data`")
    return made_event(**given | {"kind": kind, "data": data})


class Stage(Generic[C]):
    """Functions, and everything that they stand on; nothing of it goes beyond its folder."""

    def __init__(self, settings: Settings, clock: C, folder: Path | None = None, *, writes: bool = True) -> None:
        """Without `writes` the databases are only read, and what wants to write is refused."""
        # Whoever writes to a house of its own may operate it too.
        self.settings = settings = replace(settings, operators=(*settings.operators, OPERATOR)) if writes else settings
        self.clock = clock
        self.redis = connect(settings.redis_url)
        if writes:
            migrate(settings.database, LEDGER_MIGRATIONS, clock)
            ticks_store.prepare(settings.ticks_database, clock)
        function_store.prepare(settings.functions_database, clock)
        folder = folder or functions_folder()
        self.endpoints: tuple[Function, ...] = discover(folder)
        self.triggers: tuple[Trigger, ...] = triggers_in(folder)
        self._given: dict[str, FunctionSettings] = {}
        self._keys: dict[str, bytes] = {}
        """The private keys of those who signed in, by what stands in their SESSION."""
        self._writer = TrialWriter(settings, clock) if writes else None
        self.parts = self._build_parts()
        self.client = testing.TestClient(self._build_app())
        self.bench = Bench(settings, clock, self.redis, self._given)
        self.refresh()

    def refresh(self) -> None:
        """Publish a price and a healthy breaker of this moment: after the clock was moved, both are old."""
        now_ms = self.clock.now_ms()
        tick = tick_of(now_ms) if self._writer is None else self._writer.tick_at(now_ms)
        be_well(self.redis, tick, self.settings)
        self.parts.market.synchronize(self.redis, "0-0")

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> testing.Result:
        """Send a request; `headers=stage.sign_in()` sends it signed in."""
        return self.client.simulate_request(method, path, **({} if body is None else {"json": body}), **options)

    def sign_in(self, credit_cents: int = 1_000_000) -> dict[str, str]:
        """Open a new account with some money, and return the header fields of a session of its."""
        account = self.writer().open_account(credit_cents)
        headers = self.session_of(account)
        self._keys[headers[SESSION]] = account.key
        return headers

    def operate(self) -> dict[str, str]:
        """Return the header fields of somebody who operates the house, as its own page sends them."""
        token, _ = self.parts.operators.begin(OPERATOR, None)
        return {"Cookie": f"{COOKIE}={token}", "Sec-Fetch-Site": "same-origin"}

    def writer(self) -> TrialWriter:
        """Return who writes; raise NothingIsWritten on data that is only read."""
        if self._writer is None:
            raise NothingIsWritten("this data is only read: no account is made, and no bet placed")
        return self._writer

    def session_of(self, account: Owner) -> dict[str, str]:
        """Return the header fields of a new session of an account."""
        token, _ = self.parts.sessions.create(account.user_id, account.wallet, NETWORK)
        return {SESSION: f"Bearer {token}"}

    def run(self, name: str, body: Any = None, run_id: str = "trial-1") -> Any:
        """Run a function that no request starts, once; return its answer, or raise what it raises."""
        trigger = self.trigger(name)
        if trigger.starter == "event" and (body is None or isinstance(body, dict)):
            body = completed(trigger, body or {})
        taken = {"queue": trigger.body, "event": Event}.get(trigger.starter)
        if taken is not None and not isinstance(body, taken):
            try:
                body = msgspec.convert(body, taken)
            except msgspec.ValidationError as ex:
                fields = ", ".join(field.encode_name for field in msgspec.structs.fields(taken))
                raise WrongBody(f"{name} takes an object with {fields}: {ex}") from ex
        if isinstance(body, Event):
            run_id = body.id
        return trigger.handler(Run(name, run_id, body, self.bench))

    def give(self, name: str, **values: Any) -> None:
        """Give a function settings, as its table of the file would have them; raise ValueError where they are wrong."""
        [declared] = self._declared(name) or [self.trigger(name)]
        if declared.settings is None:
            raise ValueError(f"{name} declares no settings")
        self._given[name] = settings_of(declared.settings, values)

    def give_present(self, name: str) -> None:
        """Give a function, if it declares settings, those of the file that the house has."""
        self._given.update(given_to(self._declared(name), file_of(self.settings)))

    def _declared(self, name: str) -> list[Function | Trigger]:
        functions: tuple[Function | Trigger, ...] = (*self.endpoints, *self.triggers)
        return [one for one in functions if one.name == name]

    def event(self, kind: str, data: Mapping[str, Any] = NOTHING, user_id: str | None = None) -> Event:
        """Make an event to run a function with; what `data` leaves out is that of an example."""
        return msgspec.convert(made_event(kind, data=data, user_id=user_id), Event)

    def trigger(self, name: str) -> Trigger:
        """Return a function that no request starts; raise NoSuchFunction."""
        for one in self.triggers:
            if one.name == name:
                return one
        raise NoSuchFunction(f"there is no function {name}; `taptrade functions` lists them")

    def close(self) -> None:
        """Let go of the databases and of Redis."""
        if self._writer is not None:
            self._writer.close()
        self.bench.close()
        for pool in (self.parts.pool, self.parts.ticks_pool):
            pool.close()
        self.redis.close()

    def _build_parts(self) -> Parts:
        background = Background(Flag(), self.clock, Metrics("trial"))
        outbox: Any = NoWriter() if self._writer is None else Carrier(self._writer)
        return assembled(self.settings, background, self.redis, outbox, "trial", self.clock)

    def _build_app(self) -> Any:
        parts, settings = self.parts, self.settings
        authenticate = authenticator(parts.sessions, domains_of(settings))
        quotas = policies(settings)
        return create_app(
            self.endpoints,
            parts=parts,
            authenticate=authenticate,
            authenticate_operator=operator_authenticator(parts.operators, domains_of(settings), authenticate),
            limiter=RedisLimiter(self.redis, quotas, self.clock),
            quotas=quotas,
            guards={name: guard(parts) for name, guard in GUARDS.items()},
            clock=self.clock,
            metrics=Metrics("trial"),
            outages=OUTAGES,
            function_settings=self._given,
        )


@contextmanager
def open_stage(settings: Settings, clock: C, *, writes: bool = True) -> Iterator[Stage[C]]:
    """Open a house over a Redis that is empty and a data folder of its own."""
    stage = Stage(settings, clock, writes=writes)
    try:
        yield stage
    finally:
        stage.close()
