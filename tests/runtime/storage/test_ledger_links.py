"""A database from before entries were linked becomes what the writer would have written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import IntegrityError

from runtime.audit import audit
from runtime.game.player_entries import entries_newest_first
from runtime.storage.database import LEDGER_MIGRATIONS, Database, open_writer
from runtime.storage.migrate import migrate
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.runtime.records.bet_histories import History
from tests.runtime.storage.earlier import earlier, everything, write_plainly

BEFORE = ("0001_initial.sql", "0002_own_bets.sql")
SINCE = [file.name for file in sorted(LEDGER_MIGRATIONS.glob("*.sql")) if file.name not in BEFORE]
ENTRIES = "SELECT * FROM transaction_ledger ORDER BY id"
USERS = "SELECT * FROM users ORDER BY id"
ROWS = [f"SELECT * FROM {table}" for table in ("bets", "commits", "bet_rows", "entry_rows", "commit_rows", "pricings")]


@pytest.fixture
def history(desk: Desk) -> History:
    """Return a history of many bets, some of which are open."""
    return History(write_plainly(desk), 5)


@pytest.fixture
def old(history: History, tmp_path: Path) -> Iterator[Database]:
    """Return a database of the schema before, with all that the history's holds, brought to the present one."""
    path = earlier(tmp_path, BEFORE, history.desk.path, history.desk.clock)
    assert len(everything(path, ENTRIES)) > 30
    assert migrate(path, LEDGER_MIGRATIONS, history.desk.clock) == SINCE
    database = open_writer(path)
    yield database
    database.close()


def test_a_database_of_before_becomes_what_the_writer_writes(history: History, old: Database) -> None:
    for sql in (ENTRIES, USERS, *ROWS):
        assert old.execute(sql) == history.desk.database.execute(sql)
    schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
    assert old.execute(schema) == history.desk.database.execute(schema)
    assert audit(old).faults == []
    for sql in ("UPDATE entry_rows SET amount = 1", "DELETE FROM entry_rows"):
        with pytest.raises(IntegrityError):
            old.execute(sql)


def test_the_writer_goes_on_where_the_old_one_ended(history: History, old: Database) -> None:
    user = history.users[0]
    before = entries_newest_first(old.execute, user)
    history.desk.database.close()
    history.desk.database = old
    history.desk.hire()
    history.desk.show(PRICE_CENTS)
    assert history.desk.place(history.desk.bet(user, columns=9))[0].code is None
    assert entries_newest_first(old.execute, user)[1:] == before
    assert audit(old).faults == []
