"""Bets as the writer meets them: commands as the API would queue them, and rows in bulk, which bets.sql has."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from runtime.clock import Clock
from runtime.game.grid import Cell
from runtime.game.ledger import SQL
from runtime.game.rows import ROWS
from runtime.game.statements import load_statements
from runtime.game.ticks import Features, Tick
from runtime.messaging.commands import PlaceBet, SettleColumn
from runtime.messaging.queues import new_id
from runtime.storage.database import Database, open_writer
from runtime.storage.migrate import migrate

STAKE_CENTS = 100
PRICE_CENTS = 9_400_000
COMMAND_TTL_MS = 40_000
"""Longer than any queue here takes: a command that is decided too late would be given up."""
USERS = 10_000
USER_STRIDE = 7_919
"""Coprime to USERS: players take turns in no order of their ids, and none twice within a column."""
BETS_PER_COLUMN = 2_500
BETS_PER_COMMIT = 100
SETTLED_COMMITS_LATER = 500
CELLS = 31
ROW_CENTS = 500
RATE_BP = 34_567
CREDIT_CENTS = 10**12
COLUMN_S = 5
SLICE_BETS = 100_000
ENTERED_MS = 1_790_000_000_000
PRICED_BY = (0, "brownian-touch", "1", '{"sample_ms":200,"history_ms":600000}')
BYTES_PER_BET = 500
"""What a bet takes on the disk, its entries, indexes and share of a commit included."""
PRAGMAS = (
    "journal_mode = off",
    "synchronous = off",
    "foreign_keys = off",
    "ignore_check_constraints = on",
    "cache_size = -1000000",
)
SLICE_USERS = 250_000
Show = Callable[[int], None]
STATEMENTS = load_statements(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
Statements = Mapping[str, str]


def silently(_count: int) -> None:
    """Show nothing."""


def stamped(now_ms: int) -> dict[str, Any]:
    """Return what any command has."""
    return {"id": new_id(now_ms), "received_ms": now_ms, "decided_by_ms": now_ms + COMMAND_TTL_MS}


def place_bet(user: str, cell: Cell, now_ms: int, **changes: Any) -> PlaceBet:
    """Return a bet; its signature, which the API has checked, is only as long as one."""
    return PlaceBet(
        **stamped(now_ms) | changes,
        user_id=user,
        cell_id=cell.id,
        amount=STAKE_CENTS,
        min_rate_bp=10_000,
        nonce=secrets.token_hex(16),
        signed_at_s=now_ms // 1000,
        signature="0x" + secrets.token_hex(65),
        signer="0x" + secrets.token_hex(20),
    )


def column_ends(start_s: int, width_s: int, now_ms: int, touched_rows: int) -> SettleColumn:
    """Return the command by which a column ends, in which the price went so many rows up and down."""
    return SettleColumn(
        **stamped(now_ms),
        start_s=start_s,
        end_s=start_s + width_s,
        covered=True,
        open=PRICE_CENTS,
        low=PRICE_CENTS - touched_rows * ROW_CENTS,
        high=PRICE_CENTS + touched_rows * ROW_CENTS,
        close=PRICE_CENTS,
        tick_count=50,
        ticks_sha256=secrets.token_hex(32),
        first_tick_id=now_ms,
        last_tick_id=now_ms,
    )


def tick(now_ms: int, volatility: float) -> Tick:
    """Return a price of this moment; the more volatile, the more cells are offered."""
    features = Features(volatility=volatility, sample_ms=200, history_ms=600_000)
    return Tick(now_ms, now_ms, PRICE_CENTS, PRICE_CENTS, PRICE_CENTS, "sim", features)


@dataclass(frozen=True, slots=True)
class Layout:
    """Who bets on which cells, and what came of it: SQL over the number `i` of a bet, which counts from 1."""

    users: int
    user: str
    start_s: str
    low_cents: str
    won: str = "0"
    settled: int = 0
    first_s: int = 0
    per_column: int = BETS_PER_COLUMN

    def rows(self, name: str, statements: Statements = STATEMENTS) -> str:
        """Return the statement of this name over the numbers that are its two parameters."""
        return f"{statements['taps']} {statements[name]}".format(
            **asdict(self),
            row_cents=ROW_CENTS,
            price_cents=PRICE_CENTS,
            stake_cents=STAKE_CENTS,
            rate_bp=RATE_BP,
            payout_cents=STAKE_CENTS * RATE_BP // 10_000,
            credit_cents=CREDIT_CENTS,
            later=SETTLED_COMMITS_LATER,
            entered_ms=ENTERED_MS,
            key=f"'{ENTERED_MS:012x}%012x%08x'",
            column_commits=BETS_PER_COLUMN // BETS_PER_COMMIT,
        )


def settled_since(first_s: int, players: int = USERS) -> Layout:
    """Return the layout of a long past in which every column has ended, of one player or of a multiple of a hundred."""
    # No player bets twice on a cell.
    per_column = min(BETS_PER_COLUMN, players * CELLS)
    return Layout(
        users=players,
        user=f"i * {USER_STRIDE} % {players}",
        start_s=f"({first_s} + {COLUMN_S} * (i / {per_column}))",
        low_cents=f"({PRICE_CENTS} + {ROW_CENTS} * (i % {CELLS} - {CELLS // 2}))",
        # Divides the players: see bets.sql.
        won="(i % 4 = 0)" if players > 1 else "1",
        settled=1,
        first_s=first_s,
        per_column=per_column,
    )


def settled_before(bets: int, players: int, clock: Clock) -> Layout:
    """Return the layout of a past of so many bets, the last of which ended shortly before now."""
    columns = bets // settled_since(0, players).per_column + 1
    return settled_since(clock.now_ms() // 1000 // COLUMN_S * COLUMN_S - COLUMN_S * (columns + 10), players)


def user_id(number: int, users: int = USERS) -> str:
    """Return the id of one of the users."""
    return f"01U{number % users:023d}"


def wallet(number: int) -> str:
    """Return the wallet of one of the users, as bets.sql makes it."""
    return f"0x{number * 2654435761 % 2**32:08x}{number:032x}"


def create(path: Path, clock: Clock, users: int = USERS) -> Database:
    """Create a database with the live one's schema and pragmas, and users with money."""
    with resources.as_file(resources.files("runtime.storage").joinpath("migrations")) as folder:
        migrate(path, folder, clock)
    database = open_writer(path)
    with database.transaction():
        if users:
            add_accounts(database, 0, users, clock.now_ms())
        database.execute(ROWS["insert_pricing"], PRICED_BY)
    return database


def add_accounts(database: Database, first: int, end: int, now_ms: int, statements: Statements = STATEMENTS) -> None:
    """Add the users with the numbers from one up to another, without their keys."""
    database.execute(statements["accounts"].format(credit_cents=CREDIT_CENTS, now_ms=now_ms), (first, end - 1))


def fill_accounts(path: Path, users: int, clock: Clock, show: Show = silently) -> None:
    """Create the database with so many users, each with money and a key; `show` hears how many are there."""
    database = create(path, clock, 0)
    _hurry(database)
    for first in range(0, users, SLICE_USERS):
        end = min(first + SLICE_USERS, users)
        with database.transaction():
            add_accounts(database, first, end, clock.now_ms())
            database.execute(STATEMENTS["keys"], (first, end - 1))
        show(end)
    with database.transaction():
        database.execute(SQL["set_open_from"], (0,))
    _finish(database, path)


def fill(path: Path, bets: int, clock: Clock, show: Show = silently, players: int = USERS) -> None:
    """Create the database with so many settled bets; `show` hears after each slice how many are there.

    Every index is in place from the start: its pages are as full as those of a database that grew bet by bet, and at
    any size it is only each player's newest pages that change. Nothing is synced on the way, but everything at the end.
    """
    fill_as(path, settled_before(bets, players, clock), bets, clock, show)


def fill_as(path: Path, layout: Layout, bets: int, clock: Clock, show: Show = silently) -> None:
    """Create the database with so many bets of any layout."""
    database = create(path, clock, max(USERS, layout.users))
    _hurry(database)
    insert(database, layout, bets, show)
    _finish(database, path)


def insert(
    database: Database, layout: Layout, bets: int, show: Show = silently, statements: Statements = STATEMENTS
) -> None:
    """Insert so many bets and what belongs to them, in the order in which the writer would have."""

    def rows(into: str, name: str, *span: Any) -> None:
        database.execute(f"INSERT INTO {into} {layout.rows(name, statements)}", span)

    for first in range(1, bets + 1, SLICE_BETS):
        last = min(first + SLICE_BETS - 1, bets)
        with database.transaction():
            rows("bet_rows", "bets", first, last)
            rows("entry_rows", "stakes", first, last)
            rows("entry_rows", "payouts", first, last)
        show(last)
    columns = bets // layout.per_column + 1 if layout.settled else 0
    with database.transaction():
        if columns:
            rows("columns", "columns", 0, columns - 1)
        rows("commit_rows", "commits", 1, bets // BETS_PER_COMMIT + 1 + SETTLED_COMMITS_LATER)
        database.execute(layout.rows("last_entries", statements), (max(bets - layout.users, 0) + 1, bets))
        database.execute(SQL["set_open_from"], (layout.first_s + COLUMN_S * columns,))


def _hurry(database: Database) -> None:
    for pragma in PRAGMAS:
        database.execute(f"PRAGMA {pragma}")


def _finish(database: Database, path: Path) -> None:
    database.execute("PRAGMA journal_mode = wal")
    database.close()
    # Or the kernel would write it out beside the commits that are measured.
    with path.open("rb+") as file:
        os.fsync(file)
