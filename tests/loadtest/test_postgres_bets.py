"""Bets in bulk on PostgreSQL: what the writer would have left, and it goes on from there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from loadtest.bets import SETTLED_COMMITS_LATER
from loadtest.engines import Side
from loadtest.postgres_bets import fill
from runtime.clock import SystemClock
from runtime.postgresql.connection import PostgresDatabase
from runtime.settings import load
from tests.postgres import Postgres

BETS, PLAYERS = 3_010, 400
LINKS = """
SELECT id, number, previous_id,
    row_number() OVER (PARTITION BY user_id ORDER BY id), lag(id) OVER (PARTITION BY user_id ORDER BY id)
FROM transaction_ledger
"""
COUNTS = {
    "SELECT count(*) FROM bets WHERE status IN ('won', 'lost')": BETS,
    "SELECT count(*) FROM transaction_ledger WHERE ref_type = 'BET'": BETS,
    "SELECT count(*) FROM transaction_ledger WHERE ref_type = 'PAYOUT'": BETS // 4,
    "SELECT count(*) FROM bets WHERE column_start_s NOT IN (SELECT start_s FROM columns)": 0,
    "SELECT count(*) FROM bets WHERE placed_commit NOT IN (SELECT number FROM commits)": 0,
    "SELECT count(*) FROM columns WHERE settled_commit IS NULL": 0,
    'SELECT count(*) FROM bet_rows WHERE "user" NOT IN (SELECT seq FROM users)': 0,
}


@pytest.fixture
def filled(postgres: Postgres) -> str:
    url = postgres.house()
    fill(url, BETS, SystemClock(), PLAYERS)
    return url


@pytest.fixture
def database(filled: str) -> Iterator[PostgresDatabase]:
    with closing(PostgresDatabase(filled)) as database:
        yield database


def test_entries_are_linked_as_the_writer_links_them(database: PostgresDatabase) -> None:
    rows = database.execute(LINKS)
    assert len(rows) == BETS + BETS // 4
    assert [row[1:3] for row in rows] == [row[3:] for row in rows]
    last = database.execute("SELECT user_id, max(number), max(id) FROM transaction_ledger GROUP BY 1 ORDER BY 1")
    assert last == database.execute("SELECT id, version, last_entry_id FROM users ORDER BY 1")


@pytest.mark.parametrize("question", COUNTS)
def test_each_table_holds_its_part(database: PostgresDatabase, question: str) -> None:
    assert database.execute(question) == [(COUNTS[question],)]


def test_the_writer_goes_on_behind_them(filled: str) -> None:
    side = Side(load({"TAPTRADE_DATABASE_URL": filled}), PLAYERS, is_filled=True)
    with closing(side.book.database):
        first = side.book.number
        side.commit(side.bets(2 * PLAYERS))
        assert (first, side.book.next_seq) == (BETS // 100 + 1 + SETTLED_COMMITS_LATER, BETS + 2 * PLAYERS + 1)
        assert side.book.number == first + 1
