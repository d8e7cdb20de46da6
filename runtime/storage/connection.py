"""What is needed of a connection to the ledger, whichever engine holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class Database(Protocol):
    """One connection; not to be shared by two users at the same time.

    Statements are SQLite's, with `?` for parameters. What cannot be done raises DatabaseError of
    runtime/storage/database.py, or of its kinds, for either engine.
    """

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return all its rows."""
        ...

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`; for writes whose answer nobody needs."""
        ...

    def iterate(self, sql: str, params: Sequence[Any] = ()) -> Iterator[Row]:
        """Run one statement and yield its rows as they are read, for walks over whole tables."""
        ...

    def dicts(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run one statement and return its rows by column name."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Begin to write; commit at the end, roll everything back on any error."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Read several statements from one state of the database."""
        ...

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is wrong with what the engine keeps, beneath the rows: (table, row, sentence)."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
