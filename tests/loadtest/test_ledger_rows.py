"""The yardsticks' rows are rows that the live schema takes, as the writer would write them."""

from __future__ import annotations

from pathlib import Path

from loadtest.bench.yardsticks import ledger_rows
from loadtest.bench.yardsticks.ledger_rows import CREDIT_CENTS, STAKE_CENTS, USERS


def test_bets_of_several_rounds_fit_the_schema(tmp_path: Path) -> None:
    database = ledger_rows.open_ledger(tmp_path / "ledger.db")
    numbers = [*range(3), USERS, 20 * USERS, 21 * USERS + 1]
    with database.transaction():
        for number in numbers:
            ledger_rows.place(database, number)
    assert database.execute("SELECT count(*), count(DISTINCT user_id) FROM bets") == [(len(numbers), 3)]
    assert database.execute("SELECT sum(amount) FROM transaction_ledger") == [(-STAKE_CENTS * len(numbers),)]
    balances = database.execute("SELECT sum(balance) FROM users")
    assert balances == [(CREDIT_CENTS * USERS - STAKE_CENTS * len(numbers),)]
    database.close()
