"""A house moves to PostgreSQL: killed at any step it goes on, and what has come is what was there, hash by hash."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from runtime.audit import audit
from runtime.clock import SystemClock
from runtime.postgresql import move, schema
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.move import NotMoved
from runtime.storage.database import open_reader
from runtime.storage.schema import WrongSchema
from taptrade.cli import main
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.postgres import Postgres
from tests.runtime.audit.test_audit import play
from tests.runtime.postgresql.test_engines_agree import LISTS


@pytest.fixture
def file(desk: Desk) -> Path:
    """Return the file of a house that has played, and is closed."""
    play(desk)
    desk.database.execute("INSERT INTO rules_in_force VALUES ('column_seconds', 5)")
    desk.database.close()
    return desk.path


class Killed(Exception):
    """The run ended here."""


def killed_after(table: str) -> Callable[[str, int, int], None]:
    def tell(what: str, done: int, count: int) -> None:
        if what == table:
            raise Killed

    return tell


def silently(_what: str, _done: int, _count: int) -> None:
    """Tell nobody."""


def agrees(old: object, new: object) -> None:
    """Be content."""


def test_killed_after_each_table_it_goes_on_and_all_of_it_comes(
    file: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(move, "BATCH_ROWS", 2)
    url = postgres.empty()
    for table in ("users", "cut", "bet_rows", "entry_rows", "withdrawals", "commit_rows"):
        with pytest.raises(Killed):
            move.move(file, url, SystemClock(), killed_after(table), agrees)
        with closing(PostgresDatabase(url)) as half, pytest.raises(WrongSchema, match="on its way"):
            schema.require_migrated(half)
    monkeypatch.setenv("TAPTRADE_DATABASE_URL", url)
    assert main(["migrate", "--from", f"sqlite:///{file}"]) == 0
    said = capsys.readouterr()
    assert "both audits agree" in said.out
    assert "every cent is where it belongs" in said.err
    assert not file.exists()
    kept = file.with_name("taptrade.db.moved")
    with closing(PostgresDatabase(url)) as here, closing(open_reader(kept)) as there:
        schema.require_migrated(here)
        for name, sql in LISTS.items():
            assert here.dicts(sql) == there.dicts(sql), name
        assert audit(here) == audit(there)


def test_the_house_plays_on_where_it_has_moved_to(desk: Desk, file: Path, postgres: Postgres) -> None:
    url = postgres.empty()
    move.move(file, url, SystemClock(), silently, agrees)
    moved = Desk(desk.path, desk.redis_url, desk.clock, database_url=url)
    user = moved.player(7)
    bet = moved.bet(user, columns=11)
    assert [outcome.code for outcome in moved.place(bet)] == [None]
    moved.settle(int(bet.cell_id.split("_")[0]), PRICE_CENTS, PRICE_CENTS)
    report = audit(moved.database)
    assert (report.faults, report.users) == ([], 3)
    moved.close()


def test_it_moves_nothing_into_a_ledger_nor_from_another_state(desk: Desk, file: Path, postgres: Postgres) -> None:
    url = postgres.empty()
    with pytest.raises(Killed):
        move.move(file, url, SystemClock(), killed_after("users"), agrees)
    with closing(PostgresDatabase(url, prepare="")) as by_hand:
        by_hand.execute("UPDATE moved_from SET number = number - 1")
        with pytest.raises(NotMoved, match="another state of it"):
            move.move(file, url, SystemClock(), silently, agrees)
        by_hand.execute("DROP TABLE moved_from")
    with pytest.raises(NotMoved, match="a ledger of its own"):
        move.move(file, url, SystemClock(), silently, agrees)
    with pytest.raises(NotMoved, match="four slashes"):
        move.move(file.with_name("none.db"), url, SystemClock(), silently, agrees)


def test_a_file_that_somebody_uses_is_not_moved(desk: Desk, postgres: Postgres) -> None:
    play(desk)
    with pytest.raises(Exception, match="is in use: stop all that uses it"):
        move.move(desk.path, postgres.empty(), SystemClock(), silently, agrees)
