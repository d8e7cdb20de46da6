"""A hub of streams behind a writer, for the rooms that it is told through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.clock import ManualClock
from tests.jobs.writer_desk import Desk
from tests.runtime.stream.station import Station, open_station


@pytest.fixture
def station(desk: Desk, clock: ManualClock) -> Iterator[Station]:
    """Return a hub that has begun, behind the writer."""
    with open_station(desk, clock) as station:
        yield station
