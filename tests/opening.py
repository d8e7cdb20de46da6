"""What rows say that are sealed, opened by the keys in the same database."""

from __future__ import annotations

from runtime.game.bets import COLUMNS, Bet, from_row
from runtime.personal.seal import about, key_of, opened, opened_bet
from runtime.storage.database import Database


def opened_bets(database: Database) -> list[Bet]:
    """Return all bets with their signatures and signers as they were given."""
    rows = database.execute(f"SELECT {', '.join(COLUMNS)} FROM bets ORDER BY seq")
    return [opened_bet(bet, key_of(database.execute, bet.user_id)) for bet in map(from_row, rows)]


def opened_column(database: Database, table: str, column: str, kind: str) -> list[str | None]:
    """Return a sealed column of all rows of a table that name a player."""
    rows = database.execute(f"SELECT id, user_id, {column} FROM {table} ORDER BY id")
    return [opened(text, key_of(database.execute, user_id), about(kind, row_id)) for row_id, user_id, text in rows]
