"""Fixtures of the function tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.functions.market_stall import Stall, open_stall
from tests.functions.signing_in import House, open_house


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
