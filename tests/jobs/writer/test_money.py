"""Deposits, withdrawals and adjustments: once per reference, and a repeat gets the first answer."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.audit import audit
from runtime.game.ledger import SQL
from runtime.messaging.commands import (
    Adjust,
    CompleteWithdrawal,
    Deposit,
    Idempotency,
    ReverseWithdrawal,
    SetLimits,
    Withdraw,
)
from tests.jobs.writer_desk import Desk

pytestmark = pytest.mark.engines


def common(desk: Desk) -> dict[str, Any]:
    now_ms = desk.clock.now_ms()
    return {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}


def deposit(desk: Desk, user: str, amount: int = 500, reference: str = "wire-1", **more: Any) -> Deposit:
    return Deposit(user_id=user, amount=amount, reference=reference, who="op", why="wire", **common(desk), **more)


def withdrawal(desk: Desk, user: str, amount: int = 400, nonce: str = "", **more: Any) -> Withdraw:
    nonce = nonce or desk.new_id()
    return Withdraw(user_id=user, amount=amount, nonce=nonce, signed_at_s=1, signature="0x00", **common(desk), **more)


def test_a_withdrawal_whose_nonce_redis_forgot_takes_the_money_once(desk: Desk) -> None:
    user, other = desk.player(1), desk.player(2)
    first = withdrawal(desk, user, nonce="abcd1234")
    repeat = withdrawal(desk, user, nonce="abcd1234")
    elsewhere = withdrawal(desk, other, nonce="abcd1234")
    taken, refused, also_taken = desk.do(first, repeat, elsewhere)
    assert (taken.code, also_taken.code) == (None, None)
    assert (refused.code, refused.data) == ("REPLAYED_NONCE", {"used_by": first.id})
    assert (desk.balance(user), desk.balance(other)) == (999_600, 999_600)
    assert desk.do(first)[0].data == taken.data


def test_a_new_wallet_is_credited_once(desk: Desk) -> None:
    first = desk.player(7)
    assert desk.player(7) == first
    assert desk.balance(first) == 1_000_000
    assert desk.database.execute("SELECT ref_type, amount FROM transaction_ledger") == [("DEPOSIT", 1_000_000)]


def test_a_deposit_with_a_known_reference_is_answered_not_repeated(desk: Desk) -> None:
    user = desk.player()
    first, second = desk.do(deposit(desk, user), deposit(desk, user))
    assert first.data["ledger_id"] == second.data["ledger_id"]
    assert second.data == first.data | {"repeat": True}
    assert desk.balance(user) == 1_000_500
    assert desk.do(deposit(desk, user, amount=501))[0].code == "REFERENCE_USED"


def test_a_deposit_above_the_cap_is_refused(desk: Desk) -> None:
    user = desk.player()
    outcome = desk.do(deposit(desk, user, balance_max_cents=1_000_400))[0]
    assert (outcome.code, outcome.data["balance"]) == ("DEPOSIT_LIMIT", 1_000_000)


def test_the_same_idempotency_key_gets_the_stored_answer_and_another_body_is_refused(desk: Desk) -> None:
    user = desk.player()
    key = Idempotency("POST /api/deposits", "k1", "hash-of-body")
    one = desk.do(deposit(desk, user, reference="a", idempotency=key))[0]
    two = desk.do(deposit(desk, user, reference="b", idempotency=key))[0]
    other = Idempotency("POST /api/deposits", "k1", "hash-of-another")
    assert two.data == one.data
    assert desk.do(deposit(desk, user, reference="c", idempotency=other))[0].code == "IDEMPOTENCY_KEY_REUSED"
    assert desk.balance(user) == 1_000_500
    desk.clock.advance(24 * 3600 * 1000 + 1)
    assert desk.do(deposit(desk, user, reference="d", idempotency=other))[0].code is None


def test_a_withdrawal_takes_the_money_at_once_and_goes_to_the_accounts_wallet(desk: Desk) -> None:
    user = desk.player(7)
    outcome = desk.do(withdrawal(desk, user))[0]
    assert outcome.data["balance"] == 999_600 == desk.balance(user)
    assert outcome.data["withdrawal"]["status"] == "pending"
    assert outcome.data["withdrawal"]["to_address"] == f"0x{7:040x}"
    assert desk.do(withdrawal(desk, user, amount=999_601))[0].code == "INSUFFICIENT_FUNDS"


def test_a_trifle_is_not_withdrawn(desk: Desk) -> None:
    user = desk.player()
    refused, taken = desk.do(withdrawal(desk, user, amount=99), withdrawal(desk, user, amount=100))
    assert (refused.code, refused.data, taken.code) == ("WITHDRAWAL_TOO_SMALL", {"amount_min_cents": 100}, None)
    assert desk.balance(user) == 999_900
    assert desk.database.execute("SELECT count(*) FROM withdrawals") == [(1,)]


def test_only_so_many_withdrawals_of_an_account_are_pending_also_in_one_commit(desk: Desk) -> None:
    user, other = desk.player(1), desk.player(2)
    asked = [withdrawal(desk, user) for _ in range(15)]
    outcomes = desk.do(*asked, withdrawal(desk, other))
    assert [outcome.code for outcome in outcomes] == [None] * 10 + ["WITHDRAWALS_PENDING"] * 5 + [None]
    assert outcomes[10].data == {"pending": 10, "pending_max": 10}
    assert desk.balance(user) == 1_000_000 - 10 * 400
    assert desk.do(asked[3])[0].data["withdrawal"]["id"] == asked[3].id  # a repeat is answered all the same
    ends: list[Any] = [(CompleteWithdrawal, "tx-1"), (ReverseWithdrawal, "tx-2")]
    for at, (kind, reference) in enumerate(ends):
        desk.do(kind(withdrawal_id=asked[at].id, who="op", why="paid", reference=reference, **common(desk)))
    more = desk.do(*(withdrawal(desk, user) for _ in range(3)))
    assert [outcome.code for outcome in more] == [None, None, "WITHDRAWALS_PENDING"]
    assert audit(desk.database).faults == []


@pytest.mark.sqlite
def test_neither_the_pending_nor_a_nonce_is_looked_for_among_all_withdrawals(desk: Desk) -> None:
    plans = [
        desk.database.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", ("u", "n")[: SQL[name].count("?")])
        for name in ("withdrawals_pending", "withdrawal_by_nonce")
    ]
    assert [
        "withdrawals_pending_of_user (user_id=?)" in plans[0][0][3],
        "(user_id=? AND nonce=?)" in plans[1][0][3],
    ] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("kind", "status", "balance"),
    [
        pytest.param(CompleteWithdrawal, "completed", 999_600, id="completed"),
        pytest.param(ReverseWithdrawal, "reversed", 1_000_000, id="reversed"),
    ],
)
def test_a_withdrawal_ends_once(desk: Desk, kind: Any, status: str, balance: int) -> None:
    user = desk.player()
    taken = withdrawal(desk, user)
    desk.do(taken)
    ends = [
        kind(withdrawal_id=taken.id, who="op", why="paid", reference=reference, **common(desk))
        for reference in ("tx-1", "tx-1", "tx-2")
    ]
    first, again, other = desk.do(*ends)
    assert first.data["withdrawal"]["status"] == status
    assert again.data["withdrawal"] == first.data["withdrawal"]
    assert (again.code, other.code) == (None, "WITHDRAWAL_RESOLVED")
    assert desk.balance(user) == balance
    assert audit(desk.database).faults == []


def test_an_adjustment_is_made_once_and_not_below_zero(desk: Desk) -> None:
    user = desk.player(1, cents=100)

    def adjust(amount: int, reference: str) -> Adjust:
        return Adjust(user_id=user, amount=amount, reference=reference, who="op", why="fix", **common(desk))

    outcomes = desk.do(adjust(-101, "a"), adjust(-100, "b"), adjust(-100, "b"), adjust(7, "c"))
    assert [outcome.code for outcome in outcomes] == ["INSUFFICIENT_FUNDS", None, None, None]
    assert desk.balance(user) == 7
    assert audit(desk.database).faults == []


def test_money_for_an_unknown_account_is_refused(desk: Desk) -> None:
    nobody = desk.new_id()
    codes = [outcome.code for outcome in desk.do(deposit(desk, nobody), withdrawal(desk, nobody))]
    assert codes == ["NOT_FOUND", "NOT_FOUND"]


def test_a_tighter_limit_counts_at_once_and_a_looser_one_after_a_day(desk: Desk) -> None:
    user = desk.player()

    def set_limit(cents: int | None) -> None:
        desk.do(SetLimits(user_id=user, stake_day_max_cents=cents, **common(desk)))

    set_limit(150)
    assert [desk.place(desk.bet(user, rows=row))[0].code for row in (0, 1)] == [None, "LIMIT_REACHED"]
    set_limit(None)
    assert desk.place(desk.bet(user, rows=2))[0].code == "LIMIT_REACHED"
    desk.clock.advance(24 * 3600 * 1000)
    desk.show(9_200_250)
    assert desk.place(desk.bet(user, rows=3))[0].code is None


def test_self_exclusion_stops_bets_and_nothing_else(desk: Desk) -> None:
    user = desk.player()
    desk.do(SetLimits(user_id=user, excluded_until_ms=desk.clock.now_ms() + 60_000, **common(desk)))
    assert desk.place(desk.bet(user))[0].code == "LIMIT_REACHED"
    assert desk.do(withdrawal(desk, user))[0].code is None
