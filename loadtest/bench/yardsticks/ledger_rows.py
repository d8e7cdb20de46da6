"""Rows as the writer writes them for a confirmed bet, and a database of the same schema to write them to."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from runtime.clock import SystemClock
from runtime.game.bets import Bet, as_row
from runtime.game.ids import entry_id, ulid
from runtime.game.ledger import INSERT_BET, SQL, Entry
from runtime.storage.database import Database, migrate, open_writer

USERS = 1_000
STAKE_CENTS = 100
COLUMN_S = 1_790_000_000
NOW_MS = COLUMN_S * 1000 - 12_345
CREDIT_CENTS = 10**12
LAST_ENTRY, DEBIT, INSERT_ENTRY = SQL["last_entry"], SQL["debit"], SQL["insert_entry"]


def open_ledger(path: Path) -> Database:
    """Create a database with the live one's schema and pragmas, and users with money."""
    with resources.as_file(resources.files("runtime.storage").joinpath("migrations")) as folder:
        migrate(path, folder, SystemClock())
    database = open_writer(path)
    with database.transaction():
        for number in range(USERS):
            database.execute(SQL["insert_user"], (user_id(number), f"0x{number:040x}", NOW_MS, NOW_MS, 1, number))
        database.execute("UPDATE users SET balance = ?", (CREDIT_CENTS,))
    return database


def user_id(number: int) -> str:
    """Return the id of one of the users."""
    return ulid(NOW_MS, number)


def place(database: Database, number: int) -> None:
    """Place bet `number` with four statements; the caller holds the transaction."""
    balance = take_stake(database, number)
    database.execute(INSERT_BET, bet_row(number))
    database.execute(INSERT_ENTRY, entry_row(number, balance))


def take_stake(database: Database, number: int) -> int:
    """Take the stake of bet `number`, after a look at the entry that its entry will follow; return what is left."""
    user = user_id(number % USERS)
    database.execute(LAST_ENTRY, (user,))
    parameters = (STAKE_CENTS, NOW_MS, _entry_id(number), user, STAKE_CENTS, STAKE_CENTS)
    return int(database.execute(DEBIT, parameters)[0][0])


def bet_row(number: int) -> tuple[Any, ...]:
    """Return the row of bet `number`; a user's bets are on different cells."""
    user = number % USERS
    band = number // USERS
    low_cents = 9_400_000 + 500 * (band % 20)
    column_s = COLUMN_S + 5 * (band // 20)
    bet = Bet(
        seq=number + 1,
        id=ulid(NOW_MS, USERS + number),
        user_id=user_id(user),
        cell_id=f"{column_s}_{low_cents}_{low_cents + 500}",
        amount=STAKE_CENTS,
        reward_rate=34_567,
        status="confirmed",
        placed_at=NOW_MS,
        resolved_at=None,
        payout_amount=None,
        refusal_code=None,
        refusal_detail=None,
        refusal_arguments=None,
        column_start_s=column_s,
        low_cents=low_cents,
        high_cents=low_cents + 500,
        min_rate_bp=10_000,
        nonce=f"{number:032x}",
        signed_at_s=NOW_MS // 1000,
        signature="0x" + f"{number:08x}" * 16 + "1b",
        signer=f"0x{user:040x}",
        delegation_id=None,
        received_ms=NOW_MS,
        decided_by_ms=NOW_MS + 10_000,
        tick_id=NOW_MS - 50,
        tick_close=9_400_000,
        volatility=201.23456,
        features='{"sample_ms": 100, "history_ms": 600000}',
        model_id="brownian-touch",
        model_version="1",
        model_now_ms=NOW_MS,
        placed_commit=_commit(number),
        placed_place=_place(number) - 1,
        resolved_commit=None,
        resolved_place=None,
    )
    return as_row(bet)


def entry_row(number: int, balance_cents: int) -> tuple[Any, ...]:
    """Return the ledger row of bet `number`, linked to its user's last; the users take turns."""
    entry = Entry(
        id=_entry_id(number),
        user_id=user_id(number % USERS),
        amount=-STAKE_CENTS,
        balance_after=balance_cents,
        ref_type="BET",
        ref_id=ulid(NOW_MS, USERS + number),
        metadata="{}",
        created_at=NOW_MS,
        commit_number=_commit(number),
        position=_place(number),
    )
    return (*entry.row(), number // USERS + 1, _entry_id(number - USERS) if number >= USERS else None)


def _commit(number: int) -> int:
    return number // 100 + 2


def _place(number: int) -> int:
    return 2 * (number % 100) + 1


def _entry_id(number: int) -> str:
    return entry_id(NOW_MS, _commit(number), _place(number))
