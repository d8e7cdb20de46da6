"""Every row that a commit wrote, read back as the record that its hash covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Protocol

from runtime.game import chain
from runtime.game.ids import ulid_text
from runtime.game.statements import fill, read_statements
from runtime.storage.database import Row

AUDIT = read_statements("runtime.audit", "audit.sql")


class Walker(Protocol):
    """What a walk needs of a database."""

    def iterate(self, sql: str) -> Iterator[Row]:
        """Yield the rows of a query as they are read."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One written row, in the order of commits and positions."""

    commit: int
    position: int
    table: str
    row: str
    line: bytes


RISING = ("entry", "bet", "gesture")
"""Kinds of which the keys rise with commit and position, as long as nobody has changed a row."""


OF_BETS = ("bet", "resolved", "gesture")
"""Kinds of which the rows' keys are stored as bytes, as those of bets are."""


class OutOfOrder(Exception):
    """Rows do not come in the order of commits, though their keys rise."""


class Source:
    """The rows of one kind of record, and the statements that read them: AUDIT["walk"] and those after it."""

    def __init__(self, kind: str, table: str, written: str) -> None:
        self.kind = kind
        self.table = table
        self.walk = fill(AUDIT["walk"], written=written)
        self.walk_by_key = fill(AUDIT["walk_by_key"], written=written) if kind in RISING else None
        self.by_key = fill(AUDIT["by_bet"] if kind in OF_BETS else AUDIT["by_key"], written=written)
        self.of_commit = fill(AUDIT["of_commit"], written=written)
        self.of_commit_named = fill(AUDIT["of_commit_named"], written=written)
        self.of_commit_near = fill(AUDIT["of_commit_near"], written=written)


SOURCES = (
    Source("user", "users", AUDIT["written_user"]),
    Source("adoption", "adoptions", AUDIT["written_adoption"]),
    Source("entry", "transaction_ledger", AUDIT["written_entry"]),
    Source("gesture", "gestures", AUDIT["written_gesture"]),
    Source("bet", "bets", AUDIT["written_bet"]),
    Source("resolved", "bets", AUDIT["written_resolved"]),
    Source("column", "columns", AUDIT["written_column"]),
    Source("settled", "columns", AUDIT["written_settled"]),
    Source("operation", "operations", AUDIT["written_operation"]),
    Source("delegation", "delegations", AUDIT["written_delegation"]),
    Source("limits", "player_limits", AUDIT["written_limits"]),
    Source("withdrawal", "withdrawals", AUDIT["written_withdrawal"]),
    Source("withdrawal_resolved", "withdrawals", AUDIT["written_withdrawal_resolved"]),
    Source("override", "breaker_overrides", AUDIT["written_override"]),
    Source("standing", "bucket_changes", AUDIT["written_standing"]),
    Source("archive", "archives", AUDIT["written_archive"]),
    Source("erasure", "erasures", AUDIT["written_erasure"]),
)


def walk(database: Walker, *, sort: bool = False) -> Iterator[Record]:
    """Yield the records of all tables, merged into the order in which they were written.

    Raise OutOfOrder where a table has to be sorted for that, unless `sort` lets it be.
    """
    return merge(*(_read(database, source, sort=sort) for source in SOURCES))


def _read(database: Walker, source: Source, *, sort: bool) -> Iterator[Record]:
    by_key = None if sort else source.walk_by_key
    before = (0, -1)
    for commit, position, key, _, *content in database.iterate(by_key or source.walk):
        if by_key is not None:
            if (commit, position) <= before:
                raise OutOfOrder(f"{source.table} {key}")
            before = (commit, position)
        yield Record(commit, position, source.table, str(ulid_text(key)), chain.record(source.kind, position, content))
