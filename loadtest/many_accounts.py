"""What an account costs among many: found by its wallet and by its id, a bet of its player, a new one opened."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from random import Random

from jobs.writer.accounts import open_account
from loadtest import bets as made
from loadtest.bets import BETS_PER_COMMIT
from loadtest.growth import Table
from loadtest.medians import median_us
from loadtest.processes import BenchFailed
from runtime.clock import Clock
from runtime.game.ledger import SQL
from runtime.messaging.commands import OpenAccount
from runtime.messaging.queues import new_id
from runtime.records.queries import QUERIES
from runtime.settings import Settings
from runtime.storage.read_pool import ReadPool

LOOKUPS = 2_000
COMMITS = 40
CREDIT_CENTS = 100_000
BYTES_PER_ACCOUNT = 700
"""On the disk, with its key, its indexes and what the filling needs beside it."""
BY_WALLET = "an account found by its wallet"
BY_ID = "an account found by its id, as a request finds its player"
BET = "a bet of a commit of 100: its debit, its entry, its row"
OPENED = "an account of a commit of 100 opened: its key, its credit"


def measure(path: Path, users: int, settings: Settings, clock: Clock) -> dict[str, float]:
    """Return the median microseconds of each, in a database of so many accounts."""
    now_ms = clock.now_ms()
    picked = Random(7).choices(range(users), k=LOOKUPS)  # a fixed sequence
    table = Table(path, settings, now_ms, 0, users)
    pool = ReadPool(path, clock)
    found = {
        BY_WALLET: median_us(
            lambda wallet: table.database.execute(SQL["user_by_wallet"], (wallet,)), map(made.wallet, picked)
        ),
        BY_ID: median_us(
            lambda user_id: pool.rows(QUERIES["owner"], (user_id,)), [made.user_id(one, users) for one in picked]
        ),
    }
    pool.close()
    placed = [table.bets(number * BETS_PER_COMMIT) for number in range(COMMITS)]
    found[BET] = median_us(table.commit, placed, BETS_PER_COMMIT)
    asked = [[_opening(now_ms) for _ in range(BETS_PER_COMMIT)] for _ in range(COMMITS)]
    found[OPENED] = median_us(lambda commands: _open(table, commands), asked, BETS_PER_COMMIT)
    table.database.close()
    return found


def _opening(now_ms: int) -> OpenAccount:
    wallet = "0x" + secrets.token_hex(20)
    return OpenAccount(**made.stamped(now_ms), user_id=new_id(now_ms), wallet_address=wallet, credit_cents=CREDIT_CENTS)


def _open(table: Table, commands: Sequence[OpenAccount]) -> None:
    with table.book.commit(lambda _commit: None) as commit:
        answers = [open_account(commit, table.book.seals, command) for command in commands]
    if not all(answer.data.get("new") for answer in answers):
        raise BenchFailed("an account was not opened")
