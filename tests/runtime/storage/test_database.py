"""The database's errors: whatever the driver raises, and at whichever row, arrives as one of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.storage.database import OperationalError, SqliteDatabase, open_reader, open_writer
from runtime.storage.migrate import migrate
from runtime.storage.schema import WrongSchema

NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 3000000)"
MANY_ROWS = f"{NUMBERS} SELECT n FROM numbers"
LATE_FIRST_ROW = f"{NUMBERS} SELECT sum(n) FROM numbers"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = open_writer(tmp_path / "some.db")
    database.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")
    yield database
    database.close()


@pytest.mark.parametrize(
    "sql", [pytest.param(MANY_ROWS, id="between rows"), pytest.param(LATE_FIRST_ROW, id="before a row")]
)
@pytest.mark.parametrize(
    "read",
    [
        pytest.param(SqliteDatabase.execute, id="tuples"),
        pytest.param(SqliteDatabase.dicts, id="dictionaries"),
        pytest.param(lambda reader, sql: list(reader.iterate(sql)), id="one by one"),
    ],
)
def test_an_interrupted_read_is_an_operational_error(
    read: Callable[[SqliteDatabase, str], object], sql: str, database: SqliteDatabase, tmp_path: Path
) -> None:
    reader = open_reader(tmp_path / "some.db")
    looks: list[int] = []

    def expired() -> bool:
        looks.append(1)
        return len(looks) > 1

    reader.interrupt_when(expired)
    with pytest.raises(OperationalError, match="interrupted"):
        read(reader, sql)
    reader.close()


@pytest.mark.parametrize("returning", ["", "RETURNING id"])
def test_a_full_database_is_an_operational_error_and_nothing_is_written(
    returning: str, database: SqliteDatabase
) -> None:
    database.execute("PRAGMA max_page_count = 12")

    def fill() -> None:
        with database.transaction():
            for _ in range(100):
                database.execute(f"INSERT INTO texts (text) VALUES (?) {returning}", ("x" * 3000,))

    with pytest.raises(OperationalError, match="full"):
        fill()
    assert database.execute("SELECT count(*) FROM texts") == [(0,)]


def test_a_folder_without_migrations_is_refused_and_no_database_is_made(tmp_path: Path) -> None:
    with pytest.raises(WrongSchema, match="no migrations"):
        migrate(tmp_path / "t.db", tmp_path, ManualClock(0))
    assert not (tmp_path / "t.db").exists()


def test_a_process_on_sqlite_does_not_load_the_driver_of_postgresql() -> None:
    code = (
        "import sys, runtime.storage.database; print('psycopg' in sys.modules); import psycopg; print(psycopg.apilevel)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "2.0"]
