"""A database from before entries were linked becomes what the writer would have written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import IntegrityError

from runtime.audit import audit
from runtime.game.player_entries import entries_newest_first
from runtime.storage.database import LEDGER_MIGRATIONS, Database, migrate
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.records.bet_histories import History
from tests.runtime.storage.earlier import earlier

BEFORE = ("0001_initial.sql", "0002_own_bets.sql")
SINCE = [file.name for file in sorted(LEDGER_MIGRATIONS.glob("*.sql")) if file.name not in BEFORE]
ENTRIES = "SELECT * FROM transaction_ledger ORDER BY id"
USERS = "SELECT * FROM users ORDER BY id"


@pytest.fixture
def history(desk: Desk) -> History:
    """Return a history of many bets, some of which are open."""
    return History(desk, 5)


@pytest.fixture
def old(history: History, tmp_path: Path) -> Iterator[Database]:
    """Return a database of the schema before, with all that the history's holds."""
    database = earlier(tmp_path, BEFORE, history.desk.path, history.desk.clock)
    yield database
    database.close()


def test_a_database_of_before_becomes_what_the_writer_writes(history: History, old: Database, tmp_path: Path) -> None:
    assert len(old.execute(ENTRIES)) > 30
    assert migrate(tmp_path / "old.db", LEDGER_MIGRATIONS, history.desk.clock) == SINCE
    for sql in (ENTRIES, USERS):
        assert old.execute(sql) == history.desk.database.execute(sql)
    schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
    assert old.execute(schema) == history.desk.database.execute(schema)
    assert audit(old).faults == []
    for sql in ("UPDATE transaction_ledger SET amount = 1", "DELETE FROM transaction_ledger"):
        with pytest.raises(IntegrityError):
            old.execute(sql)


def test_the_writer_goes_on_where_the_old_one_ended(history: History, old: Database, tmp_path: Path) -> None:
    migrate(tmp_path / "old.db", LEDGER_MIGRATIONS, history.desk.clock)
    user = history.users[0]
    before = entries_newest_first(old.execute, user)
    history.desk.database.close()
    history.desk.database = old
    history.desk.hire()
    history.desk.show(PRICE_CENTS)
    assert history.desk.place(history.desk.bet(user, columns=9))[0].code is None
    assert entries_newest_first(old.execute, user)[1:] == before
    assert audit(old).faults == []
