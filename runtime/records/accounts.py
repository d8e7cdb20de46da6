"""A player's account as they see it: wallet, balance, and the limits that they set for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, Literal, Protocol

import msgspec

from runtime.addresses import to_checksum_address
from runtime.clock import rfc3339
from runtime.errors import Unauthenticated
from runtime.game.ledger import SQL
from runtime.game.limit_changes import LimitsChange, standing
from runtime.game.limits import LIMIT_COLUMNS, PlayerLimits
from runtime.game.player_entries import Rows
from runtime.game.rows import is_nobody
from runtime.records.queries import QUERIES

Kind = Literal["wallet", "guest"]


class Reader(Protocol):
    """Read the live database."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of one statement by column name."""
        ...

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Return the rows of one statement; raise Unavailable where that takes too long."""
        ...


class User(msgspec.Struct, frozen=True):
    """An account; the balance is in cents."""

    id: str
    wallet_address: str
    balance: int
    created_at: str
    kind: Kind
    """guest: it belongs to a key of the browser, and `wallet_address` is what stands for that key."""


class Limits(msgspec.Struct, frozen=True):
    """A player's own limits; null: none, for the reality check the house's interval.

    Stakes and losses of a day (UTC), times until which no bet and no deposit is taken, the stake of one bet, deposits
    of the last 24 hours and seven days, and minutes between reality checks.
    """

    stake_day_max_cents: int | None = None
    loss_day_max_cents: int | None = None
    cool_off_until_ms: int | None = None
    excluded_until_ms: int | None = None
    stake_max_cents: int | None = None
    deposit_day_max_cents: int | None = None
    deposit_week_max_cents: int | None = None
    reality_check_minutes: int | None = None


class PendingLimits(msgspec.Struct, frozen=True):
    """Looser limits that were asked for, and when they will count."""

    limits: Limits
    effective_at: str
    effective_ms: int


class LimitsState(msgspec.Struct, frozen=True):
    """The limits that count now; what all wishes come to, and when the last of them counts; the steps on the way."""

    limits: Limits
    pending: PendingLimits | None
    steps: list[PendingLimits]


def user_view(user_id: str, wallet: str, balance: int, created_ms: int, kind: Kind) -> User:
    """Return an account as it is shown, its wallet with the checksum."""
    return User(user_id, to_checksum_address(wallet), balance, rfc3339(created_ms), kind)


def read_user(pool: Reader, user_id: str) -> User:
    """Read an account; its session has ended if the database does not know it."""
    rows = pool.rows(QUERIES["owner"], (user_id,))
    if not rows:
        raise Unauthenticated("The account of this session does not exist here; log in again.")
    row = rows[0]
    if is_nobody(row["wallet_address"]):
        raise Unauthenticated("The player of this session was forgotten.")
    kind: Kind = "guest" if row["guest_key"] is not None and row["guest_address"] is None else "wallet"
    return user_view(row["id"], row["wallet_address"], row["balance"], row["created_at"], kind)


def read_changes(pool: Reader, user_id: str, now_ms: int) -> list[LimitsChange]:
    """Read the changes of a player's limits that count or will, in the order in which they were made."""
    rows = pool.rows(SQL["limits_of_user"], (user_id, user_id, now_ms))
    return [LimitsChange(PlayerLimits(*(row[name] for name in LIMIT_COLUMNS)), row["effective_ms"]) for row in rows]


def limits_state(changes: Sequence[LimitsChange], now_ms: int) -> LimitsState:
    """Return what counts now and what will."""
    current, later = standing(changes, now_ms)
    steps = [
        PendingLimits(_shown(change.limits), rfc3339(change.effective_ms), change.effective_ms) for change in later
    ]
    return LimitsState(_shown(current), steps[-1] if steps else None, steps)


def _shown(limits: PlayerLimits) -> Limits:
    return Limits(*astuple(limits))
