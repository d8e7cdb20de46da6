"""The statements of what players and operators read: queries.sql beside this file."""

from __future__ import annotations

from runtime.game.ledger import SQL
from runtime.game.statements import read_statements

QUERIES = read_statements(
    "runtime.records",
    "queries.sql",
    entries_back=SQL["entries_back"],
    open_from=SQL["open_from"],
    user_seq=SQL["user_seq"],
)
