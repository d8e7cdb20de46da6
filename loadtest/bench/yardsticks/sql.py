"""SQLite alone: the writer's four statements for each bet, in bare loops."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from loadtest.bench.yardsticks import ledger_rows
from runtime.game.ledger import INSERT_BET

MEASURE_S = 4.0


def transaction_per_bet(path: Path) -> float:
    """Return bets a second when each is a transaction of its own."""
    database = ledger_rows.open_ledger(path)
    start_s = now_s = time.perf_counter()
    number = 0
    for number in itertools.count():
        if (now_s := time.perf_counter()) >= start_s + MEASURE_S:
            break
        with database.transaction():
            ledger_rows.place(database, number)
    database.close()
    return number / (now_s - start_s)


def bare_sql(path: Path, bets_per_transaction: int) -> float:
    """Return bets a second when so many share a transaction.

    The rows are made beforehand and not counted: what is measured is SQLite, its driver and the disk.
    """
    database = ledger_rows.open_ledger(path)
    seconds, number = 0.0, 0
    while seconds < MEASURE_S:
        batch = range(number, number + bets_per_transaction)
        rows = [(ledger_rows.bet_row(each), ledger_rows.entry_row(each, ledger_rows.CREDIT_CENTS)) for each in batch]
        start_s = time.perf_counter()
        with database.transaction():
            for each, (bet, entry) in zip(batch, rows, strict=True):
                ledger_rows.take_stake(database, each)
                database.execute(INSERT_BET, bet)
                database.execute(ledger_rows.INSERT_ENTRY, entry)
        seconds += time.perf_counter() - start_s
        number += bets_per_transaction
    database.close()
    return number / seconds
