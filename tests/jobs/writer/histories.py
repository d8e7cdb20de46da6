"""What each history of the model has: one writer that may die at any step, the oracle, and the accounts' owners."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from runtime.audit import audit
from runtime.clock import ManualClock
from runtime.messaging import queues
from runtime.messaging.commands import AdoptGuest, AnyCommand, Delegation, OpenAccount, Outcome, SettleColumn
from tests.conftest import START_MS
from tests.jobs.writer.deaths import Died, dying
from tests.jobs.writer.oracle import (
    GUEST,
    GUEST_KEY,
    OPENINGS_CENTS,
    PENDING_MAX,
    WALLETS,
    WITHDRAWAL_MIN_CENTS,
    Oracle,
)
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

USERS = st.sampled_from(range(len(OPENINGS_CENTS)))
ACCOUNTS_HAPPEN = {
    *("OpenAccount done", "OpenAccount GUEST_ADOPTED", "adopted with confirmed bets", "adopted with lost bets"),
    *("AdoptGuest done", "AdoptGuest WALLET_TAKEN", "AdoptGuest GUEST_ADOPTED", "AdoptGuest FORBIDDEN"),
}
"""All that can happen to accounts."""
HISTORY = (
    "SELECT status, id, cell_id, amount, payout_amount, placed_commit, resolved_commit FROM bets WHERE user_id = ?",
    "SELECT id, amount, balance_after, ref_type, ref_id, commit_number FROM transaction_ledger WHERE user_id = ?",
)


class Histories(RuleBasedStateMachine):
    """Drive one writer over one database."""

    redis_url = ""
    seen: ClassVar[Counter[str]] = Counter()
    """What happened in all histories: deaths, and outcomes by command and code."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(START_MS)
        self.desk = Desk(Path(self.folder.name) / "taptrade.db", self.redis_url, self.clock)
        self.desk.client.flushall()
        self.desk.withdrawals = (WITHDRAWAL_MIN_CENTS, PENDING_MAX)
        self.desk.hire()
        self.desk.show(PRICE_CENTS)
        self.oracle = Oracle()
        outcomes = [self.do(self.sign_in(user, cents)) for user, cents in enumerate(OPENINGS_CENTS)]
        self.ids: list[str] = [outcome.data["user_id"] for outcome in outcomes]
        self.oracle.balance = dict(enumerate(OPENINGS_CENTS))

    def teardown(self) -> None:
        faults = audit(self.desk.database).faults
        self.desk.close()
        self.folder.cleanup()
        assert faults == []

    def common(self) -> dict[str, Any]:
        now_ms = self.clock.now_ms()
        return {"id": self.desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}

    def do(self, command: AnyCommand, name: str = queues.COMMANDS, dies_after: int | None = None) -> Outcome:
        """Queue a command and let the writer work; it may die after some steps, and another goes on."""
        self.desk.queue(command, name=name)
        if dies_after is not None:
            with dying(self.desk, dies_after):
                try:
                    self.desk.work()
                except Died:
                    self.seen["death"] += 1
            self.desk.hire()
        self.desk.work()
        outcome = self.desk.answers()[command.id]
        self.seen[f"{type(command).__name__} {outcome.code or 'done'}"] += 1
        return outcome

    def sign_in(self, user: int, cents: int, *, by_key: bool = True) -> OpenAccount:
        """Return a sign-in of an account's owner, the guest's by its key or by the wallet that has taken it over."""
        guest_key = GUEST_KEY if user == GUEST and by_key else None
        return OpenAccount(
            user_id=self.desk.new_id(),
            wallet_address=self.oracle.opened_by[user] if guest_key else self.oracle.owners[user],
            credit_cents=cents,
            guest_key=guest_key,
            delegation=Delegation(self.desk.new_id(), guest_key, "text", "0x") if guest_key else None,
            **self.common(),
        )

    @precondition(lambda self: self.oracle.open)
    @rule(
        shift=st.integers(-2, 2),
        covered=st.sampled_from([True, True, True, False]),
        dies_after=st.none() | st.integers(0, 20),
    )
    def settle_the_oldest_column(self, shift: int, covered: bool, dies_after: int | None) -> None:
        start_s = min(int(cell_id.split("_")[0]) for _, cell_id, _ in self.oracle.open.values())
        price = PRICE_CENTS + shift * RULES.row_step_cents
        command = SettleColumn(
            start_s=start_s,
            end_s=start_s + RULES.column_seconds,
            covered=covered,
            open=price,
            low=price,
            high=price + 100,
            close=price,
            tick_count=3,
            ticks_sha256="0" * 64,
            first_tick_id=1,
            last_tick_id=3,
            reason=None if covered else "a gap",
            **self.common(),
        )
        self.do(command, dies_after=dies_after)
        rates: dict[str, int] = dict(self.desk.database.execute("SELECT id, reward_rate FROM bets"))
        self.oracle.settle(start_s, price, price + 100, covered, rates, self.desk.writer.book.committed_ms)

    @rule(user=USERS, by_key=st.booleans(), dies_after=st.none() | st.integers(0, 10))
    def sign_in_again(self, user: int, by_key: bool, dies_after: int | None) -> None:
        """Whoever comes again gets the account as it is, and no second credit."""
        if user == GUEST and GUEST not in self.oracle.adopted:
            by_key = True
        outcome = self.do(self.sign_in(user, 5_000, by_key=by_key), dies_after=dies_after)
        if user == GUEST and by_key and GUEST in self.oracle.adopted:
            assert outcome.code == "GUEST_ADOPTED"
        else:
            assert (outcome.code, outcome.data["user_id"]) == (None, self.ids[user])
            assert outcome.data["balance"] == self.oracle.balance[user]

    @rule(user=USERS, wallet=st.sampled_from(WALLETS), dies_after=st.none() | st.integers(0, 10))
    def give_to_a_wallet_in_vain(self, user: int, wallet: str, dies_after: int | None) -> None:
        """Only a guest's account can be given, once, and only to a wallet that has none."""
        refused = self.oracle.can_adopt(user, wallet)
        if refused or self.oracle.owners[user] == wallet:
            assert self.adopt(user, wallet, dies_after) == refused

    @precondition(lambda self: GUEST not in self.oracle.adopted and self.statuses_of_guests_bets())
    @rule(
        ended_at=st.none() | st.sampled_from([0, 3]),
        wallet=st.sampled_from(WALLETS[2:]),
        dies_after=st.none() | st.integers(0, 10),
    )
    def give_to_a_wallet(self, ended_at: int | None, wallet: str, dies_after: int | None) -> None:
        """Give the guest's account away with bets that are open or, having waited, with bets that have ended.

        They end so many rows from where the price was: some of them are hit at 0, and none at 3.
        """
        while ended_at is not None and self.oracle.open:
            self.settle_the_oldest_column(ended_at, True, None)
        statuses = self.statuses_of_guests_bets()
        assert self.adopt(GUEST, wallet, dies_after) is None
        self.seen.update(f"adopted with {status} bets" for status in statuses)
        self.sign_in_again(GUEST, by_key=True, dies_after=None)
        self.give_to_a_wallet_in_vain(GUEST, WALLETS[0], None)

    def adopt(self, user: int, wallet: str, dies_after: int | None) -> str | None:
        """Ask for an adoption; what came of it. The account's bets and money stay as they are in any case."""
        before = self.history(user)
        command = AdoptGuest(
            user_id=self.ids[user], wallet_address=wallet, message="text", signature="0x", **self.common()
        )
        outcome = self.do(command, dies_after=dies_after)
        if outcome.code is None:
            assert (outcome.data["user_id"], outcome.data["balance"]) == (self.ids[user], self.oracle.balance[user])
            self.oracle.adopt(user, wallet)
        assert self.history(user) == before
        stored: dict[str, str] = dict(self.desk.database.execute("SELECT id, wallet_address FROM users"))
        assert stored == {self.ids[owner]: address for owner, address in self.oracle.owners.items()}
        return outcome.code

    def statuses_of_guests_bets(self) -> set[str]:
        return {status for status, *_ in self.history(GUEST)[0]}

    def history(self, user: int) -> list[list[Any]]:
        """Return all that is stored of an account's bets and money."""
        return [sorted(self.desk.database.execute(query, (self.ids[user],))) for query in HISTORY]
