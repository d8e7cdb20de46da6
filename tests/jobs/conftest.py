"""The writer's desk for every test of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from tests.jobs.writer_desk import Desk


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Return a writer at work on an empty database."""
    desk = Desk(tmp_path / "taptrade.db", redis_url, clock)
    yield desk
    desk.close()
