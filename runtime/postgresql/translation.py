"""Statements as PostgreSQL takes them: other marks for parameters, another text where it must be."""

from __future__ import annotations

from functools import cache

from runtime.game.ledger import SQL
from runtime.game.statements import read_statements

OWN = read_statements("runtime.postgresql", "statements.sql")
INSTEAD = {
    SQL["bets_by_id"]: OWN["bets_by_id"],
    SQL["ending_bets"]: OWN["ending_bets"],
    SQL["last_bet_seq"]: OWN["last_bet_seq"],
}
"""Statements of the ledger, and what stands for them here."""


@cache
def translated(sql: str) -> str:
    """Return a statement as psycopg takes it. Statements are named ones, so they are few."""
    return INSTEAD.get(sql, sql).replace("%", "%%").replace("?", "%s")
