"""A writer's desk and a hub of streams for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from tests.jobs.writer_desk import Desk
from tests.runtime.stream_station import Station, open_station


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Return a writer at work on an empty database."""
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock)
    yield desk
    desk.close()


@pytest.fixture
def station(desk: Desk, clock: ManualClock) -> Iterator[Station]:
    """Return a hub that has begun, behind the writer."""
    with open_station(desk, clock) as station:
        yield station
