"""Fixtures of the function tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from runtime.clock import ManualClock
from runtime.settings import Settings
from runtime.storage.database import LEDGER_MIGRATIONS, migrate
from tests.backgrounds import threads
from tests.functions.market_stall import Stall, open_stall
from tests.functions.signing_in import House, open_house
from tests.functions.station import Station, open_station


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
