"""One play on both engines: the same commits, hash by hash, and the same answers of every statement that is read by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runtime.audit import audit
from runtime.clock import ManualClock
from runtime.game.bets import COLUMNS
from runtime.messaging import queues
from runtime.messaging.connection import connect
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.move import MOVING
from tests.conftest import START_MS
from tests.jobs.writer_desk import Desk
from tests.postgres import Postgres
from tests.runtime.audit.test_audit import play

BESIDE = {"entry_rows": ("created_at", "commit_number", "place")}
"""Columns that PostgreSQL has and SQLite reads from the id."""
LISTS = {
    "commits": "SELECT * FROM commits ORDER BY number",
    "bets": f"SELECT {', '.join(COLUMNS)} FROM bets ORDER BY seq",
    "entries": "SELECT id, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at, commit_number,"
    " place, number, previous_id FROM transaction_ledger ORDER BY id",
    "users": "SELECT * FROM users ORDER BY seq",
    "columns": "SELECT * FROM columns ORDER BY start_s",
    "withdrawals": "SELECT * FROM withdrawals_shown ORDER BY id",
    "operations": "SELECT * FROM operations ORDER BY kind, reference",
    "buckets": "SELECT * FROM buckets ORDER BY model_id, rate_from_bp, distance",
}


def ids() -> Iterator[str]:
    """Yield ids that are the same in each play."""
    for number in range(1, 10**6):
        yield f"01M3250V00{number:016d}"


def played(folder: Path, redis_url: str, url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Play the same for the hundredth time: no id and no key is made at random."""
    client = connect(redis_url)
    client.flushall()
    client.close()
    fresh = ids()
    monkeypatch.setattr(queues, "new_id", lambda _now_ms: next(fresh))
    folder.mkdir()
    clock = ManualClock(START_MS)
    desk = Desk(folder / "taptrade.db", redis_url, clock, random_bytes=lambda count: b"\x07" * count, database_url=url)
    play(desk)
    return desk


@pytest.fixture
def both(
    tmp_path: Path, redis_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Desk, Desk]]:
    """Return the same play on SQLite and on PostgreSQL."""
    found = [played(tmp_path / name, redis_url, url, monkeypatch) for name, url in (("a", ""), ("b", postgres.house()))]
    yield found[0], found[1]
    for desk in found:
        desk.close()


def rows(desk: Desk, sql: str) -> list[dict[str, Any]]:
    return desk.database.dicts(sql)


def test_every_row_and_every_hash_is_the_same(both: tuple[Desk, Desk]) -> None:
    sqlite, postgresql = both
    for name, sql in LISTS.items():
        found = rows(postgresql, sql)
        assert found, name
        assert found == rows(sqlite, sql), name
        assert [[type(value) for value in row.values()] for row in found] == [
            [type(value) for value in row.values()] for row in rows(sqlite, sql)
        ], name
    reports = audit(sqlite.database), audit(postgresql.database)
    assert reports[0] == reports[1]
    assert reports[1].ok


def test_a_change_of_one_schema_is_one_of_the_other(desk: Desk, postgres: Postgres) -> None:
    tables = [
        name for (name,) in desk.database.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
    ]
    with closing(PostgresDatabase(postgres.house())) as other:
        for table in tables:
            own = [name for (name,) in desk.database.execute("SELECT name FROM pragma_table_info(?)", (table,))]
            theirs = [name for (name,) in other.execute(MOVING["columns_here"], (table,))]
            assert sorted(theirs) == sorted([*own, *BESIDE.get(table, ())]), table
