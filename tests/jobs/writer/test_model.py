"""Random histories of money, with deaths of the writer between any two steps, against an oracle of a few lines."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from runtime.game.limits import DAY_MS
from runtime.messaging import queues
from runtime.messaging.commands import (
    Adjust,
    CompleteWithdrawal,
    Deposit,
    Outcome,
    PlaceBet,
    ReverseWithdrawal,
    SetLimits,
    Withdraw,
)
from tests.conftest import START_MS
from tests.jobs.gestures import bet_ids, gesture_of_bets
from tests.jobs.writer.histories import ACCOUNTS_HAPPEN, USERS, Histories
from tests.jobs.writer.oracle import AMOUNT_LIMITS, GUEST, PENDING_MAX, WALLETS, WITHDRAWAL_MIN_CENTS
from tests.jobs.writer_desk import PRICE_CENTS

AMOUNTS = st.sampled_from([100, 500, 10_000])
WISHES = st.dictionaries(st.sampled_from(AMOUNT_LIMITS), st.sampled_from([None, 0, 600, 5_000]), min_size=1)
NOT_MONEY = ("CELL_CLOSED", "CELL_NOT_OFFERED", "PRICE_FEED_STALE", "BET_EXPIRED")
"""Refusals by time and price: the oracle knows neither, and none of them moves money."""

HAPPENS = ACCOUNTS_HAPPEN | {
    *("death", "PlaceBet done", "PlaceBet DUPLICATE_BET", "PlaceBet INSUFFICIENT_FUNDS", "SettleColumn done"),
    *("Deposit done", "Deposit REFERENCE_USED", "Deposit LIMIT_REACHED", "Adjust done", "Adjust REFERENCE_USED"),
    *("PlaceBet LIMIT_REACHED", "SetLimits done", "SetLimits later"),
    *("Withdraw done", "Withdraw INSUFFICIENT_FUNDS", "Withdraw WITHDRAWAL_TOO_SMALL", "Withdraw WITHDRAWALS_PENDING"),
    *("CompleteWithdrawal done", "ReverseWithdrawal done"),
    *("PlaceBets done", "tap done", "tap DUPLICATE_BET", "tap INSUFFICIENT_FUNDS"),
}
"""All that can happen, which the written history goes through."""
OFTEN = {"death", "PlaceBet done", "tap done", "SettleColumn done", "Deposit done", "Withdraw done", "SetLimits done"}
"""What no search fails to come upon: histories in which nothing happens would prove nothing."""


class Money(Histories):
    """What moves money, and what stands in its way."""

    @rule(
        user=USERS,
        column=st.integers(2, 5),
        row=st.integers(-1, 1),
        amount=AMOUNTS,
        dies_after=st.none() | st.integers(0, 14),
    )
    def place(self, user: int, column: int, row: int, amount: int, dies_after: int | None) -> None:
        bet = self.desk.bet(self.ids[user], columns=column, rows=row, amount=amount)
        self.judged(user, bet, bet.id, self.do(bet, queues.BETS, dies_after).code)

    @rule(
        user=USERS,
        taps=st.lists(st.tuples(st.integers(2, 5), st.integers(-1, 1), AMOUNTS), min_size=1, max_size=4),
        dies_after=st.none() | st.integers(0, 20),
    )
    def place_many(self, user: int, taps: list[tuple[int, int, int]], dies_after: int | None) -> None:
        bets = [self.desk.bet(self.ids[user], columns=column, rows=row, amount=cents) for column, row, cents in taps]
        gesture = gesture_of_bets(bets)
        told = self.do(gesture, queues.BETS, dies_after).data["taps"]
        for tap, bet, bet_id in zip(told, bets, bet_ids(gesture), strict=True):
            code = tap["refusal"]["code"] if "refusal" in tap else None
            self.seen[f"tap {code or 'done'}"] += 1
            self.judged(user, bet, bet_id, code)

    def judged(self, user: int, bet: PlaceBet, bet_id: str, code: str | None) -> None:
        """Hold what became of a bet against the oracle, and let that count it."""
        now_ms = self.desk.writer.book.committed_ms
        expected = self.oracle.can_bet(user, bet.cell_id, bet.amount, now_ms)
        if code in NOT_MONEY:
            assert expected != "DUPLICATE_BET"
            return
        assert code == expected
        if expected is None:
            self.oracle.bet(bet_id, user, bet.cell_id, bet.amount, now_ms)

    @precondition(lambda self: self.oracle.open)
    @rule()
    def place_again(self) -> None:
        user, cell_id, _ = next(iter(self.oracle.open.values()))
        assert self.do(self.desk.bet(self.ids[user], cell_id=cell_id), queues.BETS).code == "DUPLICATE_BET"

    @rule(
        user=USERS,
        amount=AMOUNTS,
        reference=st.sampled_from("abcdef"),
        dies_after=st.none() | st.integers(0, 10),
    )
    def deposit(self, user: int, amount: int, reference: str, dies_after: int | None) -> None:
        command = Deposit(user_id=self.ids[user], amount=amount, reference=reference, who="o", why="w", **self.common())
        outcome = self.do(command, dies_after=dies_after)
        now_ms = self.desk.writer.book.now_ms()
        known = ("deposit", reference) in self.oracle.references
        if not known and not self.oracle.can_deposit(user, amount, now_ms):
            assert outcome.code == "LIMIT_REACHED"
            return
        self.credit_once("deposit", reference, user, amount, outcome)
        if not known:
            self.oracle.deposited.append((user, now_ms, amount))

    @rule(user=USERS, amount=st.sampled_from([-700, 700]), reference=st.sampled_from("abc"))
    def adjust(self, user: int, amount: int, reference: str) -> None:
        command = Adjust(user_id=self.ids[user], amount=amount, reference=reference, who="o", why="w", **self.common())
        outcome = self.do(command)
        if ("adjust", reference) not in self.oracle.references and self.oracle.balance[user] + amount < 0:
            assert outcome.code == "INSUFFICIENT_FUNDS"
        else:
            self.credit_once("adjust", reference, user, amount, outcome)

    def credit_once(self, kind: str, reference: str, user: int, amount: int, outcome: Outcome) -> None:
        known = self.oracle.references.get((kind, reference))
        if known is None:
            assert outcome.code is None
            self.oracle.references[kind, reference] = user * 100_000 + amount
            self.oracle.balance[user] += amount
        else:
            assert outcome.code == (None if known == user * 100_000 + amount else "REFERENCE_USED")

    @rule(user=USERS, amount=AMOUNTS, dies_after=st.none() | st.integers(0, 10))
    def withdraw(self, user: int, amount: int, dies_after: int | None) -> None:
        self.ask_to_withdraw(user, amount, dies_after)

    @rule(user=USERS)
    def withdraw_once_more_than_may_wait(self, user: int) -> None:
        """Ask until one too many is pending: whole searches do not come upon three in a row of one user by chance."""
        for _ in range(PENDING_MAX + 1):
            self.ask_to_withdraw(user, WITHDRAWAL_MIN_CENTS, None)

    def ask_to_withdraw(self, user: int, amount: int, dies_after: int | None) -> None:
        common = self.common()
        command = Withdraw(
            user_id=self.ids[user], amount=amount, nonce=common["id"], signed_at_s=1, signature="0x", **common
        )
        outcome = self.do(command, dies_after=dies_after)
        assert outcome.code == self.oracle.can_withdraw(user, amount)
        if outcome.code is None:
            self.oracle.balance[user] -= amount
            self.oracle.pending[command.id] = (user, amount)

    @precondition(lambda self: self.oracle.pending)
    @rule(reverse=st.booleans(), dies_after=st.none() | st.integers(0, 10))
    def end_a_withdrawal(self, reverse: bool, dies_after: int | None) -> None:
        withdrawal_id, (user, amount) = self.oracle.pending.popitem()
        kind = ReverseWithdrawal if reverse else CompleteWithdrawal
        command = kind(withdrawal_id=withdrawal_id, who="o", why="w", reference=withdrawal_id, **self.common())
        assert self.do(command, dies_after=dies_after).code is None
        self.oracle.balance[user] += amount * reverse

    @rule(user=USERS, wishes=st.lists(WISHES, min_size=1, max_size=3))
    def change_limits(self, user: int, wishes: list[dict[str, int | None]]) -> None:
        """Ask as a page does that saves each field: all that is asked for is on its way before anything is answered."""
        commands = [SetLimits(user_id=self.ids[user], **{**self.common(), **wish}) for wish in wishes]
        outcomes = self.desk.do(*commands)
        now_ms = self.desk.writer.book.now_ms()
        for wish, outcome in zip(wishes, outcomes, strict=True):
            assert outcome.code is None
            self.seen[f"SetLimits {'later' if len(outcome.data['effective_ms']) > 1 else 'done'}"] += 1
            for name, amount in wish.items():
                self.oracle.limits[user][name].wish(amount, now_ms)

    @rule(days=st.sampled_from([1, 6]))
    def wait_for_days(self, days: int) -> None:
        self.wait(days * DAY_MS)

    @rule(ms=st.integers(100, 7_000))
    def wait(self, ms: int) -> None:
        self.clock.advance(ms)
        self.desk.show(PRICE_CENTS)

    @rule(ms=st.integers(100, 20_000))
    def step_the_clock_back(self, ms: int) -> None:
        self.clock.wall_ms = max(START_MS, self.clock.wall_ms - ms)
        self.desk.show(PRICE_CENTS)

    @invariant()
    def balances_are_the_oracles(self) -> None:
        if hasattr(self, "ids"):
            assert {user: self.desk.balance(user_id) for user, user_id in enumerate(self.ids)} == self.oracle.balance


RICH, POOR = 0, 2


def written_history(model: Money) -> None:
    """Let everything happen that can, each by the rule that random histories come upon it by."""
    model.place(GUEST, 2, 0, 100, 3)
    model.place_again()
    model.settle_the_oldest_column(3, True, None)
    model.place(POOR, 3, 0, 10_000, None)
    model.place_many(POOR, [(3, 1, 500), (3, 1, 100), (4, 1, 500)], 5)
    model.place(GUEST, 5, 0, 100, None)
    for amount in (500, 100):
        model.deposit(RICH, amount, "a", None)
    for cents in (700, -700):
        model.adjust(RICH, cents, "a")
    model.withdraw_once_more_than_may_wait(RICH)
    for reverse in (True, False):
        model.end_a_withdrawal(reverse, None)
    for user, amount in ((RICH, 100), (POOR, 10_000)):
        model.withdraw(user, amount, None)
    model.change_limits(RICH, [{"stake_max_cents": 0, "deposit_day_max_cents": 0}, {"stake_max_cents": None}])
    model.place(RICH, 4, 0, 100, None)
    model.deposit(RICH, 100, "b", None)
    for user, wallet in ((GUEST, WALLETS[0]), (RICH, WALLETS[3])):
        model.give_to_a_wallet_in_vain(user, wallet, None)
    model.give_to_a_wallet(None, WALLETS[2], None)
    model.give_to_a_wallet_in_vain(GUEST, WALLETS[3], None)
    model.wait_for_days(6)
    model.sign_in_again(RICH, True, None)


@pytest.fixture
def money(redis_url: str) -> type[Money]:
    Money.redis_url = redis_url
    Money.seen.clear()
    return Money


def test_all_that_can_happen_happens_as_the_oracle_says(money: type[Money]) -> None:
    model = money()
    try:
        written_history(model)
        model.balances_are_the_oracles()
    finally:
        model.teardown()
    assert money.seen.keys() >= HAPPENS


@pytest.mark.timeout(300)
def test_money_is_what_the_oracle_says(money: type[Money]) -> None:
    run_state_machine_as_test(
        money,
        settings=settings(
            max_examples=80,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert money.seen.keys() >= OFTEN
