"""Fixtures of the function tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from runtime.clock import ManualClock
from runtime.settings import Settings
from runtime.storage.database import LEDGER_MIGRATIONS
from runtime.storage.migrate import migrate
from taptrade.trial import Trial, open_trial
from tests.attack.arena import Arena, open_arena
from tests.attack.operator import Operator
from tests.attack.operator import open_house as open_operated
from tests.backgrounds import threads
from tests.functions.declared_refusals import held_to_their_types
from tests.functions.market_stall import Stall, open_stall
from tests.functions.signing_in import House, open_house
from tests.functions.station import Station, open_station


@pytest.fixture(autouse=True)
def _refusals_as_declared() -> Iterator[None]:
    with held_to_their_types():
        yield


@pytest.fixture
def trial(settings: Settings, clock: ManualClock) -> Iterator[Trial]:
    """Return a house for trying functions: real Redis, real databases, a writer that works at once, a price."""
    with open_trial(settings, clock) as opened:
        yield opened


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return the whole app."""
    with open_arena(settings, clock) as opened:
        yield opened


@pytest.fixture
def operated(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return the whole app, which two wallets operate."""
    with open_operated(settings, clock) as opened:
        yield opened


@pytest.fixture
def operator(operated: Arena) -> Operator:
    """Return an operator who is signed in."""
    return Operator(operated).log_in()


@pytest.fixture
def house(settings: Settings, redis_client: redis.Redis, clock: ManualClock) -> Iterator[House]:
    """Return a house that players can sign in to."""
    with open_house(settings, redis_client, clock) as opened:
        yield opened


@pytest.fixture
def stall(settings: Settings, clock: ManualClock) -> Iterator[Stall]:
    """Return the functions about prices and events, behind a writer and a feed that the test moves."""
    with open_stall(settings, clock) as opened:
        yield opened


@pytest.fixture
def station(settings: Settings, redis_client: redis.Redis, clock: ManualClock) -> Iterator[Station]:
    """Return a station whose database is there."""
    migrate(settings.database, LEDGER_MIGRATIONS, clock)
    with threads(clock) as background:
        station, pool = open_station(settings, redis_client, clock, background)
        yield station
    for connection in pool._idle:
        connection.database.close()
