"""Bets in bulk on PostgreSQL, as bets.py makes them on SQLite; postgres_bets.sql has the rows."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from loadtest.bets import PRICED_BY, Show, add_accounts, insert, settled_before, silently
from runtime.clock import Clock
from runtime.game.rows import ROWS
from runtime.game.statements import load_statements
from runtime.postgresql.connection import PostgresDatabase

STATEMENTS = load_statements(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
IN_BULK = "SET session_replication_role = replica; SET synchronous_commit = off"
"""Neither the tables' triggers nor the disk are waited for."""


def fill(url: str, bets: int, clock: Clock, players: int, show: Show = silently) -> None:
    """Fill a ledger that has its schema and no rows with players and so many settled bets."""
    with closing(PostgresDatabase(url, prepare=IN_BULK)) as database:
        add_accounts(database, 0, players, clock.now_ms(), STATEMENTS)
        database.execute(ROWS["insert_pricing"], PRICED_BY)
        insert(database, settled_before(bets, players, clock), bets, show, STATEMENTS)
