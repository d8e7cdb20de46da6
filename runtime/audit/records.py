"""Every row that a commit wrote, read back as the record that its hash covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Protocol

from runtime.game import chain
from runtime.game.bets import PLACED_COLUMNS
from runtime.game.columns import CONTENT_FIELDS
from runtime.game.ledger import ENTRY_COLUMNS
from runtime.storage.database import Row


class Walker(Protocol):
    """What a walk needs of a database."""

    def iterate(self, sql: str) -> Iterator[Row]:
        """Yield the rows of a query as they are read."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One written row, in the order of commits and places."""

    commit: int
    place: int
    table: str
    row: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows of a kind are, which columns say when they were written, and what of them was hashed."""

    kind: str
    table: str
    key: str
    commit: str
    place: str
    content: str

    @property
    def sql(self) -> str:
        """The walk over this source in the order of commits."""
        return (
            f"SELECT {self.commit}, {self.place}, {self.key}, {self.content} FROM {self.table}"  # noqa: S608
            f" WHERE {self.commit} IS NOT NULL ORDER BY {self.commit}, {self.place}"
        )


SOURCES = (
    Source("user", "users", "id", "created_commit", "created_place", "id, wallet_address, created_at"),
    Source("entry", "transaction_ledger", "id", "commit_number", "place", ENTRY_COLUMNS),
    Source("bet", "bets", "id", "placed_commit", "placed_place", ", ".join(PLACED_COLUMNS)),
    Source("resolved", "bets", "id", "resolved_commit", "resolved_place", "id, status, resolved_at, payout_amount"),
    Source("column", "columns", "start_s", "begun_commit", "begun_place", ", ".join(CONTENT_FIELDS)),
    Source("settled", "columns", "start_s", "settled_commit", "settled_place", "start_s, settled_at"),
    Source(
        "operation",
        "operations",
        "kind || ' ' || reference",
        "created_commit",
        "created_place",
        "reference, kind, user_id, amount, who, why, entry_id, balance_after, created_at, created_commit",
    ),
    Source(
        "delegation",
        "delegations",
        "id",
        "created_commit",
        "created_place",
        "id, user_id, session_key, message, signature, created_at, created_commit",
    ),
    Source(
        "limits",
        "player_limits",
        "id",
        "created_commit",
        "created_place",
        "id, user_id, stake_day_max_cents, loss_day_max_cents, cool_off_until_ms, excluded_until_ms, effective_ms,"
        " created_at, created_commit",
    ),
    Source(
        "withdrawal",
        "withdrawals",
        "id",
        "requested_commit",
        "requested_place",
        "id, user_id, amount, to_address, nonce, signed_at_s, signature, requested_at, requested_commit",
    ),
    Source(
        "withdrawal_resolved",
        "withdrawals",
        "id",
        "resolved_commit",
        "resolved_place",
        "id, status, reference, who, why, resolved_at, resolved_commit",
    ),
)


def walk(database: Walker) -> Iterator[Record]:
    """Yield the records of all tables, merged into the order in which they were written."""
    return merge(*(_read(database, source) for source in SOURCES))


def _read(database: Walker, source: Source) -> Iterator[Record]:
    for commit, place, key, *content in database.iterate(source.sql):
        yield Record(commit, place, source.table, str(key), chain.record(source.kind, place, content))
