"""The ledger's own walls, over a connection that misbehaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

import pytest

from runtime.game import chain
from runtime.game.bets import COLUMNS, Bet, from_row, placed_content
from runtime.game.chain import GENESIS
from runtime.game.ledger import Commit
from runtime.game.rows import ROWS, LedgerBroken


class Connection:
    """Answer every statement with the same rows, and remember what was asked."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows
        self.asked: list[str] = []

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:  # noqa: ARG002
        """Answer."""
        self.asked.append(sql)
        return self.rows

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Take rows."""
        self.asked += [sql] * len(rows)


def commit(rows: list[tuple[Any, ...]]) -> tuple[Commit, Connection]:
    """Return a commit over such a connection."""
    connection = Connection(rows)
    return Commit(connection, 1, GENESIS, 1_790_000_000_000, 1), connection


def bet(**changes: Any) -> Bet:
    """Return a bet."""
    values: dict[str, Any] = dict.fromkeys(COLUMNS, 1)
    values |= {"id": "b", "user_id": "u", "cell_id": "5_0_500", "status": "confirmed", "refusal_code": None}
    return replace(Bet(**values), **changes)


def test_two_accounts_of_one_id_stop_everything() -> None:
    broken, _ = commit([("u", 5, None), ("u", 6, None)])
    with pytest.raises(LedgerBroken, match="2 users"):
        broken.balance_change("u", 5, "DEPOSIT", "r")
    assert broken.is_empty


def test_an_unknown_account_is_given_and_takes_nothing() -> None:
    short, connection = commit([])
    assert short.balance_change("u", -5, "ADJUSTMENT", "r") is None
    assert (short.is_empty, connection.asked) == (True, [ROWS["players"]])


def test_a_payout_without_an_account_stops_everything() -> None:
    broken, _ = commit([])
    with pytest.raises(LedgerBroken, match="unknown user u"):
        broken.resolve_bet(bet(), "won", 200)


def test_a_bet_that_cannot_be_paid_for_is_stored_as_such_and_is_not_live() -> None:
    short, _ = commit([])
    placed = bet()
    assert short.place_bet(placed) is None
    assert (placed.status, placed.refusal_code) == ("insufficient_funds", "INSUFFICIENT_FUNDS")
    assert short.live_bet(placed.cell_id, placed.user_id) is None
    assert not short.is_empty


def test_a_row_is_a_bet_unless_its_status_is_none() -> None:
    one = bet()
    assert from_row(astuple(one)) == one
    assert len(placed_content(one)) == len(COLUMNS) - 6
    with pytest.raises(ValueError, match="unknown status 'paid'"):
        from_row(astuple(bet(status="paid")))


def test_what_is_stored_of_a_bet_without_a_delay_is_recorded_as_before_there_was_one() -> None:
    before = placed_content(bet(fill_delay_ms=None))[:-1]
    assert chain.record("bet", 0, placed_content(bet(fill_delay_ms=None))) == chain.record("bet", 0, before)
    assert chain.record("bet", 0, placed_content(bet(fill_delay_ms=500))) == chain.record("bet", 0, (*before, 500))
