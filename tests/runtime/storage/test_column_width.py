"""Open bets keep the width of their columns, whatever the settings say."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from runtime.settings import SettingsError
from runtime.storage.column_width import adopt_width, refuse_other_width


class Books:
    """What is looked at of the tables."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("CREATE TABLE rules_in_force (name TEXT PRIMARY KEY, value INTEGER)")
        self.connection.execute("CREATE TABLE columns (start_s INTEGER PRIMARY KEY, settled_commit INTEGER)")
        self.connection.execute(
            "CREATE TABLE bets (status TEXT, column_start_s INTEGER DEFAULT 5, cell_id TEXT DEFAULT '5_0_1',"
            " amount INTEGER DEFAULT 100, reward_rate INTEGER DEFAULT 20000, refusal_code TEXT)"
        )

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, params).fetchall()


def test_another_width_is_refused_while_bets_are_open_and_taken_when_none_are() -> None:
    books = Books()
    adopt_width(books.execute, 5)
    books.execute("INSERT INTO bets (status) VALUES ('confirmed'), ('won')")
    refuse_other_width(books.execute, 5)
    with pytest.raises(SettingsError, match="1 open bets were placed on columns of 5 s"):
        adopt_width(books.execute, 1)
    books.execute("UPDATE bets SET status = 'lost'")
    adopt_width(books.execute, 1)
    books.execute("INSERT INTO bets (status) VALUES ('confirmed')")
    with pytest.raises(SettingsError):
        refuse_other_width(books.execute, 5)
    books.connection.close()
