"""Databases that are not ours to touch: of something else, of another version, empty, cut or no database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.errors import TaptradeError
from runtime.storage import ticks_store
from runtime.storage.database import LEDGER_MIGRATIONS, DatabaseUnsafe, naming, open_reader
from runtime.storage.migrate import migrate, open_migrated

CLOCK = ManualClock(1_790_000_000_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database of this version."""
    migrate(tmp_path / "some.db", LEDGER_MIGRATIONS, CLOCK)
    return tmp_path / "some.db"


def by_hand(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


def replaced(by: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(by)


def cut(to: int) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes()[:to])


def another(*statements: str) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        path.unlink()
        by_hand(path, *statements)

    return make


def of_ticks(path: Path) -> None:
    path.unlink()
    ticks_store.prepare(path, CLOCK)


def of_a_later_version(path: Path) -> None:
    by_hand(path, "INSERT INTO schema_migrations VALUES ('0099_later.sql', 'ab', 1)")


def changed_since(path: Path) -> None:
    by_hand(path, "UPDATE schema_migrations SET sha256 = 'ab' WHERE name LIKE '0002%'")


SPOILT = [
    pytest.param(replaced(b""), "is an empty file: restore a backup, or remove it", id="empty"),
    pytest.param(replaced(b"hello\n" * 100), "cannot be used: file is not a database", id="text"),
    pytest.param(cut(100), "cannot be used: database disk image is malformed", id="its first 100 bytes"),
    pytest.param(cut(4096), "cannot be used: database disk image is malformed", id="its first page"),
    pytest.param(cut(4096 * 9 + 99), "cannot be used: database disk image is malformed", id="half of it"),
    pytest.param(another("CREATE TABLE notes (text)"), "is the database of something else", id="something else"),
    pytest.param(
        another("CREATE TABLE schema_migrations (version TEXT)"), "is the database of something else", id="another's"
    ),
    pytest.param(of_ticks, "was made by another 0001_initial.sql than ours", id="the ticks"),
    pytest.param(of_a_later_version, "has the migration 0099_later.sql, which this version does not", id="later"),
    pytest.param(changed_since, "was made by another 0002_own_bets.sql than ours, or that was changed", id="changed"),
]


@pytest.mark.parametrize(("spoil", "said"), SPOILT)
def test_a_database_that_is_not_ours_is_refused_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(path)
    before = path.read_bytes()
    for ask in (lambda: migrate(path, LEDGER_MIGRATIONS, CLOCK), lambda: open_migrated(path, LEDGER_MIGRATIONS)):
        with pytest.raises(TaptradeError) as refused:
            ask()
        assert str(refused.value).startswith(f"{path} {said}")
        assert "SELECT" not in str(refused.value)
    assert path.read_bytes() == before


def test_what_is_no_database_file_is_named(path: Path) -> None:
    with pytest.raises(DatabaseUnsafe, match=f"there is no database at {path}x; start one with"):
        open_migrated(Path(f"{path}x"), LEDGER_MIGRATIONS)
    with pytest.raises(DatabaseUnsafe, match="cannot be used: Is a directory"):
        migrate(path.parent, LEDGER_MIGRATIONS, CLOCK)
    with pytest.raises(DatabaseUnsafe, match=f"{path}/within cannot be used: Not a directory"):
        migrate(path / "within" / "a.db", LEDGER_MIGRATIONS, CLOCK)


def test_one_of_an_earlier_version_is_migrated_but_not_read_before(path: Path) -> None:
    by_hand(path, "DELETE FROM schema_migrations WHERE name LIKE '0003%'", "DROP TABLE idempotency_keys")
    with pytest.raises(TaptradeError, match=r"lacks the migration 0003_ledger_links\.sql; `taptrade migrate`"):
        open_migrated(path, LEDGER_MIGRATIONS)


def test_a_database_of_this_version_is_opened_read_only(path: Path) -> None:
    assert migrate(path, LEDGER_MIGRATIONS, CLOCK) == []
    database = open_migrated(path, LEDGER_MIGRATIONS)
    with pytest.raises(DatabaseUnsafe, match="only who may write in its folder can read it"), naming(path):
        database.execute("DELETE FROM bet_rows")
    database.close()


def test_damage_that_is_met_later_is_told_of_the_file(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:8192] + bytes(len(content) - 8192))
    reader = open_reader(path)
    with (
        pytest.raises(DatabaseUnsafe, match=f"^{path} cannot be used: database disk image is malformed$"),
        naming(path),
    ):
        reader.execute("SELECT count(*) FROM bets")
    reader.close()
