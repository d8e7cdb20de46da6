"""Fill a database of the live schema with settled bets, made by SQLite itself: the rows bind no Python values."""
# ruff: noqa: S608  all parts of the statements are constants of this file

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from runtime.clock import Clock
from runtime.game.bets import COLUMNS
from runtime.game.ledger import SQL
from runtime.storage.database import Database, migrate, open_writer

USERS = 10_000
USER_STRIDE = 7_919
"""Coprime to USERS: players take turns in no order of their ids, and none twice within a column."""
BETS_PER_COLUMN = 2_500
BETS_PER_COMMIT = 100
SETTLED_COMMITS_LATER = 500
CELLS = 31
PRICE_CENTS = 9_400_000
ROW_CENTS = 500
STAKE_CENTS = 100
RATE_BP = 34_567
WON_ONE_OF = 4
CREDIT_CENTS = 10**12
COLUMN_S = 5
SLICE_BETS = 100_000
BYTES_PER_BET = 1_100
"""What a bet takes on the disk, its entries, indexes and share of a commit included."""

PRAGMAS = (
    "journal_mode = off",
    "synchronous = off",
    "foreign_keys = off",
    "ignore_check_constraints = on",
    "cache_size = -1000000",
)

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
_USER = f"printf('01U%023d', i * {USER_STRIDE} % {USERS})"
_START = f"(:first_s + {COLUMN_S} * (i / {BETS_PER_COLUMN}))"
_LOW = f"({PRICE_CENTS} + {ROW_CENTS} * (i % {CELLS} - {CELLS // 2}))"
_WON = f"i % {WON_ONE_OF} = 0"
_PLACED = f"i / {BETS_PER_COMMIT} + 1"
# Each value of a bet's row by its column; what is not named is NULL.
_BET = {
    "seq": "i",
    "id": "printf('01A%023d', i)",
    "user_id": _USER,
    "cell_id": f"printf('%d_%d_%d', {_START}, {_LOW}, {_LOW} + {ROW_CENTS})",
    "amount": str(STAKE_CENTS),
    "reward_rate": str(RATE_BP),
    "status": f"CASE WHEN {_WON} THEN 'won' ELSE 'lost' END",
    "placed_at": f"1000 * {_START} - 20000",
    "resolved_at": f"1000 * {_START} + 6500",
    "payout_amount": f"CASE WHEN {_WON} THEN {STAKE_CENTS * RATE_BP // 10_000} ELSE 0 END",
    "column_start_s": _START,
    "low_cents": _LOW,
    "high_cents": f"{_LOW} + {ROW_CENTS}",
    "min_rate_bp": "10000",
    "nonce": "printf('%032x', i)",
    "signed_at_s": f"{_START} - 20",
    "signature": "printf('0x%0130x', i)",
    "signer": "printf('0x%040x', i)",
    "received_ms": f"1000 * {_START} - 20010",
    "decided_by_ms": f"1000 * {_START} - 10010",
    "tick_id": f"1000 * {_START} - 20050",
    "tick_close": str(PRICE_CENTS),
    "volatility": "201.23456",
    "features": """'{"sample_ms": 100, "history_ms": 600000}'""",
    "model_id": "'brownian-touch'",
    "model_version": "'1'",
    "model_now_ms": f"1000 * {_START} - 20000",
    "placed_commit": _PLACED,
    "placed_place": f"2 * (i % {BETS_PER_COMMIT})",
    "resolved_commit": f"{_PLACED} + {SETTLED_COMMITS_LATER}",
    "resolved_place": f"2 * (i % {BETS_PER_COMMIT})",
}
_BETS = f"{_NUMBERS} INSERT INTO bets ({', '.join(COLUMNS)}) SELECT {{values}} FROM n"
# A user has one bet in USERS. Every bet of a user wins or none does, since WON_ONE_OF divides USERS.
_ROUND = f"(i - 1) / {USERS}"
_STAKE_ID, _PAYOUT_ID = "printf('01A%022d0', i)", "printf('01A%022d1', i)"
_BEFORE = f"CASE WHEN i > {USERS} THEN printf('01A%022d%d', i - {USERS}, {_WON}) END"
_STAKES = f"""{_NUMBERS} INSERT INTO transaction_ledger
SELECT {_STAKE_ID}, {_USER}, -{STAKE_CENTS}, {CREDIT_CENTS}, 'BET', printf('01A%023d', i), '{{}}',
    1790000000000, {_PLACED}, 2 * (i % {BETS_PER_COMMIT}) + 1, {_ROUND} * (1 + ({_WON})) + 1, {_BEFORE} FROM n"""
_PAYOUTS = f"""{_NUMBERS} INSERT INTO transaction_ledger
SELECT {_PAYOUT_ID}, {_USER}, {STAKE_CENTS}, {CREDIT_CENTS}, 'PAYOUT', printf('01A%023d', i), '{{}}',
    1790000000000, {_PLACED} + {SETTLED_COMMITS_LATER}, 2 * (i % {BETS_PER_COMMIT}) + 1, {_ROUND} * 2 + 2, {_STAKE_ID}
FROM n WHERE {_WON}"""
# A user's last bet is the last of its place in the turns.
_LAST_ENTRIES = f"""{_NUMBERS} UPDATE users SET (version, last_entry_id) =
    (SELECT number, id FROM transaction_ledger WHERE ref_type = CASE WHEN {_WON} THEN 'PAYOUT' ELSE 'BET' END
        AND ref_id = printf('01A%023d', i))
FROM n WHERE users.id = {_USER}"""
_COLUMNS = f"""{_NUMBERS} INSERT INTO columns
SELECT :first_s + {COLUMN_S} * i, :first_s + {COLUMN_S} * (i + 1), 1, {PRICE_CENTS}, {PRICE_CENTS}, {PRICE_CENTS},
    {PRICE_CENTS}, 50, hex(zeroblob(32)), 1000 * (:first_s + {COLUMN_S} * i), 1000 * (:first_s + {COLUMN_S} * i), NULL,
    1000 * (:first_s + {COLUMN_S} * i) + 6500, i * {BETS_PER_COLUMN // BETS_PER_COMMIT} + {SETTLED_COMMITS_LATER}, 0,
    1000 * (:first_s + {COLUMN_S} * i) + 6500, i * {BETS_PER_COLUMN // BETS_PER_COMMIT} + {SETTLED_COMMITS_LATER}, 1
FROM n"""
# Records of 200 rows, as a commit of bets among settlements has.
_COMMITS = f"""{_NUMBERS} INSERT INTO commits
SELECT i, ? - 1000, hex(zeroblob(32)), hex(zeroblob(32)), 200, '{{}}', NULL, NULL, NULL, NULL, hex(zeroblob(800))
FROM n"""


def user_id(number: int) -> str:
    """Return the id of one of the users."""
    return f"01U{number % USERS:023d}"


def fill(path: Path, bets: int, clock: Clock, show: Callable[[int], None] = lambda _bets: None) -> None:
    """Create the database with so many settled bets; `show` hears after each slice how many are there.

    Every index is in place from the start: its pages are as full as those of a database that grew bet by bet, and at
    any size it is only each player's newest pages that change. Nothing is synced on the way, but everything at the end.
    """
    with resources.as_file(resources.files("runtime.storage").joinpath("migrations")) as folder:
        migrate(path, folder, clock)
    database = open_writer(path)
    for pragma in PRAGMAS:
        database.execute(f"PRAGMA {pragma}")
    now_ms = clock.now_ms()
    _users(database, now_ms)
    columns = bets // BETS_PER_COLUMN + 1
    first_s = now_ms // 1000 // COLUMN_S * COLUMN_S - COLUMN_S * (columns + 10)
    for start in range(1, bets + 1, SLICE_BETS):
        last = min(start + SLICE_BETS - 1, bets)
        _slice(database, start, last, first_s)
        show(last)
    with database.transaction():
        database.execute(_COLUMNS.replace(":first_s", str(first_s)), (0, columns - 1))
        database.execute(_LAST_ENTRIES, (max(bets - USERS, 0) + 1, bets))
        database.execute(SQL["set_open_from"], (first_s + COLUMN_S * columns,))
        database.execute(_COMMITS, (1, bets // BETS_PER_COMMIT + 1 + SETTLED_COMMITS_LATER, now_ms))
    database.execute("PRAGMA journal_mode = wal")
    database.close()
    # Or the kernel would write it out beside the commits that are measured.
    with path.open("rb+") as file:
        os.fsync(file)


def _users(database: Database, now_ms: int) -> None:
    with database.transaction():
        for number in range(USERS):
            database.execute(SQL["insert_user"], (user_id(number), f"0x{number:040x}", now_ms, now_ms, 1, number))
        # No entry says so, and so no version either.
        database.execute("UPDATE users SET balance = ?", (CREDIT_CENTS,))


def _slice(database: Database, first: int, last: int, first_s: int) -> None:
    values = ", ".join(_BET.get(name, "NULL") for name in COLUMNS).replace(":first_s", str(first_s))
    with database.transaction():
        database.execute(_BETS.format(values=values), (first, last))
        database.execute(_STAKES, (first, last))
        database.execute(_PAYOUTS, (first, last))
