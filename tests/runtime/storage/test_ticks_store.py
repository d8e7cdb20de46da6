"""The stored ticks: windows as settlement reads them, and the trimming."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import IntegrityError

from runtime.clock import ManualClock
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_reader, open_writer
from runtime.storage.migrate import migrate
from tests.jobs.feed.ticks import tick


@pytest.fixture
def database(settings: Settings, clock: ManualClock) -> Iterator[Database]:
    ticks_store.prepare(settings.ticks_database, clock)
    opened = open_writer(settings.ticks_database)
    yield opened
    opened.close()


def fill(database: Database, *ids: int) -> None:
    for tick_id in ids:
        ticks_store.append(database, tick(tick_id))


def test_a_tick_comes_back_as_it_was(database: Database, settings: Settings) -> None:
    stored = tick(5_000, 700, low=600, high=900)
    ticks_store.append(database, stored)
    reader = open_reader(settings.ticks_database)
    assert ticks_store.latest(reader) == stored
    reader.close()


def test_an_empty_store_has_no_latest_and_an_open_window(database: Database) -> None:
    assert ticks_store.latest(database) is None
    assert ticks_store.window(database, 5_000, 10_000) == (None, [], None)


def test_an_id_is_stored_once(database: Database) -> None:
    fill(database, 5_000)
    with pytest.raises(IntegrityError):
        ticks_store.append(database, tick(5_000, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(tick(1, 0), id="no price"),
        pytest.param(tick(1, 10, low=11), id="low above close"),
        pytest.param(tick(1, 10, high=9), id="high below close"),
    ],
)
def test_an_impossible_tick_is_refused(database: Database, wrong: object) -> None:
    assert isinstance(wrong, type(tick(1)))
    with pytest.raises(IntegrityError):
        ticks_store.append(database, wrong)


@pytest.mark.parametrize(
    ("stored", "carried", "ticks", "following"),
    [
        pytest.param([4_900, 5_100, 9_999, 10_000], 4_900, [5_100, 9_999], 10_000, id="all parts"),
        pytest.param([4_900, 5_000, 10_050], 5_000, [5_000], 10_050, id="tick at the very start"),
        pytest.param([4_000, 4_900], 4_900, [], None, id="before only"),
        pytest.param([12_000, 13_000], None, [], 12_000, id="after only"),
        pytest.param([5_001, 6_000], None, [5_001, 6_000], None, id="inside only"),
    ],
)
def test_a_window_has_its_ticks_and_the_ones_before_and_after_it(
    database: Database, stored: list[int], carried: int | None, ticks: list[int], following: int | None
) -> None:
    fill(database, *stored)
    found = ticks_store.window(database, 5_000, 10_000)
    assert (found[0].id if found[0] else None) == carried
    assert [each.id for each in found[1]] == ticks
    assert (found[2].id if found[2] else None) == following


def test_between_is_bounded_and_oldest_first(database: Database) -> None:
    fill(database, 1_000, 1_100, 1_200, 1_300)
    assert [each.id for each in ticks_store.between(database, 1_100, 1_300, 10)] == [1_100, 1_200]
    assert [each.id for each in ticks_store.between(database, 0, 9_999, 3)] == [1_000, 1_100, 1_200]


def test_trimming_takes_the_oldest_in_small_steps(database: Database) -> None:
    fill(database, 1_000, 1_100, 1_200, 1_300)
    assert ticks_store.trim(database, 1_300, 2) == 2
    assert ticks_store.trim(database, 1_300, 2) == 1
    assert ticks_store.trim(database, 1_300, 2) == 0
    assert [each.id for each in ticks_store.between(database, 0, 9_999, 10)] == [1_300]


def test_a_store_from_before_has_the_candles_that_a_new_one_makes(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    folder = tmp_path / "before"
    folder.mkdir()
    for name in ("0001_initial.sql", "0002_candles.sql"):
        shutil.copy(ticks_store.MIGRATIONS / name, folder / name)
    path = tmp_path / "old.db"
    migrate(path, folder, clock)
    old = open_writer(path)
    for store in (old, database):
        for tick_id in (999, 1_000, 1_999, 4_100, 61_050, 61_900):
            ticks_store.append(store, tick(tick_id, 500 + tick_id % 7, low=400 + tick_id % 5, high=600))
    old.close()
    assert ticks_store.prepare(path, clock) == ["0003_second_candles.sql"]
    old = open_writer(path)
    for store in (old, database):
        ticks_store.append(store, tick(61_950, 510))
    for sql in ("SELECT * FROM second_candles", "SELECT * FROM candles"):
        assert old.execute(sql) == database.execute(sql)
    assert len(old.execute("SELECT * FROM second_candles")) == 4
    old.close()
