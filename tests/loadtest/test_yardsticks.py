"""The yardsticks' rows are rows that the live schema takes, as the writer would write them."""

from __future__ import annotations

from pathlib import Path

from loadtest import yardsticks
from loadtest.bets import CREDIT_CENTS, STAKE_CENTS
from loadtest.yardsticks import USERS


def test_bets_of_several_rounds_fit_the_schema(tmp_path: Path) -> None:
    database = yardsticks.open_ledger(tmp_path / "ledger.db")
    numbers = [*range(1, 4), USERS + 1, 20 * USERS + 1, 21 * USERS + 2]
    with database.transaction():
        for number in numbers:
            [(bet, entry)] = yardsticks.rows_of(database, number, number)
            yardsticks.place(database, bet, entry)
    assert database.execute("SELECT count(*), count(DISTINCT user_id) FROM bets") == [(len(numbers), 3)]
    assert database.execute("SELECT DISTINCT status, resolved_at, resolved_commit, payout_amount FROM bets") == [
        ("confirmed", None, None, None)
    ]
    assert database.execute("SELECT sum(amount) FROM transaction_ledger") == [(-STAKE_CENTS * len(numbers),)]
    balances = database.execute("SELECT sum(balance) FROM users")
    assert balances == [(CREDIT_CENTS * USERS - STAKE_CENTS * len(numbers),)]
    database.close()


def test_entries_of_a_user_are_linked(tmp_path: Path) -> None:
    database = yardsticks.open_ledger(tmp_path / "ledger.db")
    with database.transaction():
        for bet, entry in yardsticks.rows_of(database, 1, 2 * USERS + 1):
            yardsticks.place(database, bet, entry)
    expected = database.execute(
        "SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY id),"
        " lag(id) OVER (PARTITION BY user_id ORDER BY id) FROM transaction_ledger ORDER BY id"
    )
    assert database.execute("SELECT id, number, previous_id FROM transaction_ledger ORDER BY id") == expected
    assert database.execute("PRAGMA foreign_key_check") == []
    database.close()
