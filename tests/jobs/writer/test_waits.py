"""The ticks of a wait as the writer reads them from the feed's store."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.writer.waits import WaitTicks
from runtime.clock import ManualClock
from runtime.storage import ticks_store
from runtime.storage.database import open_writer
from tests.jobs.writer_desk import tick_at

START_MS = 1_790_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a store with a tick each 100 ms."""
    found = tmp_path / "ticks.db"
    ticks_store.prepare(found, ManualClock(1))
    database = open_writer(found)
    for count in range(20):
        ticks_store.append(database, tick_at(START_MS + 100 * count))
    database.close()
    return found


def test_each_wait_has_the_ticks_between_receipt_and_fill(path: Path) -> None:
    waits = WaitTicks(path)
    for from_ms, to_ms in ((0, 1_000), (301, 1_000), (301, 1_000), (250, 1_000), (0, 500), (700, 700)):
        found = waits(START_MS + from_ms, START_MS + to_ms)
        assert found is not None
        expected = [100 * count for count in range(20) if from_ms <= 100 * count < to_ms]
        assert [tick.id - START_MS for tick in found] == expected
    waits.close()


def test_what_cannot_be_read_is_said_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert WaitTicks(tmp_path / "absent.db")(0, 1) is None
    assert "cannot read the ticks of a wait" in caplog.text


def test_a_store_that_comes_later_is_read_then(path: Path, tmp_path: Path) -> None:
    waits = WaitTicks(tmp_path / "later.db")
    assert waits(START_MS, START_MS + 200) is None
    path.rename(tmp_path / "later.db")
    found = waits(START_MS, START_MS + 200)
    assert found is not None
    assert len(found) == 2
    waits.close()
