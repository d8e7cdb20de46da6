"""What each account must hold after any history of money: the oracle of the model, a few lines of rules."""

from __future__ import annotations

from runtime.auth.p256 import address_of_key
from runtime.game.limits import DAY_MS
from tests.runtime.auth.browser import BrowserKey
from tests.runtime.game.one_limit import OneLimit

OPENINGS_CENTS = (12_000, 12_000, 900)
"""One player is poor, so that every search comes upon bets and withdrawals that cannot be paid for."""
GUEST, GUEST_KEY = 1, BrowserKey(0x22).text
"""The player who begins as a guest, with money for bets."""
WALLETS = ("0x" + "a1" * 20, "0x" + "b2" * 20, "0x" + "c3" * 20, "0x" + "d4" * 20)
"""Two that own accounts, and two that may take the guest's over."""
WITHDRAWAL_MIN_CENTS, PENDING_MAX = 300, 2
DAY_LIMITS = ("stake_day_max_cents", "loss_day_max_cents")
DEPOSIT_DAYS = {"deposit_day_max_cents": 1, "deposit_week_max_cents": 7}
AMOUNT_LIMITS = ("stake_max_cents", *DAY_LIMITS, *DEPOSIT_DAYS)


class Oracle:
    """What each account must hold, by the rules alone."""

    def __init__(self) -> None:
        self.balance: dict[int, int] = {}
        self.owners = {0: WALLETS[0], GUEST: address_of_key(GUEST_KEY), 2: WALLETS[1]}
        self.opened_by = dict(self.owners)
        self.adopted: set[int] = set()
        self.open: dict[str, tuple[int, str, int]] = {}
        self.taken: set[tuple[int, str]] = set()
        self.limits = {user: {name: OneLimit(name) for name in AMOUNT_LIMITS} for user in range(len(OPENINGS_CENTS))}
        self.moved: list[tuple[int, int, int, int]] = []
        """What stakes and payouts moved: user, time, cents staked, cents returned."""
        self.deposited: list[tuple[int, int, int]] = []
        """User, time and cents of the deposits; what the accounts were opened with is none."""
        self.references: dict[tuple[str, str], int] = {}
        self.pending: dict[str, tuple[int, int]] = {}

    def can_adopt(self, user: int, wallet: str) -> str | None:
        if self.owners[user] == wallet:
            return None
        if user in self.adopted:
            return "GUEST_ADOPTED"
        if wallet in self.owners.values():
            return "WALLET_TAKEN"
        return None if user == GUEST else "FORBIDDEN"

    def adopt(self, user: int, wallet: str) -> None:
        if self.owners[user] != wallet:
            self.adopted.add(user)
        self.owners[user] = wallet

    def can_bet(self, user: int, cell_id: str, amount: int, now_ms: int) -> str | None:
        if (user, cell_id) in self.taken:
            return "DUPLICATE_BET"
        today = [one for one in self.moved if one[0] == user and one[1] // DAY_MS == now_ms // DAY_MS]
        staked, returned = amount + sum(one[2] for one in today), sum(one[3] for one in today)
        for name, spent in zip(AMOUNT_LIMITS[:3], (amount, staked, staked - returned), strict=True):
            most = self.limits[user][name].at(now_ms)
            if most is not None and spent > most:
                return "LIMIT_REACHED"
        return None if self.balance[user] >= amount else "INSUFFICIENT_FUNDS"

    def can_deposit(self, user: int, amount: int, now_ms: int) -> bool:
        for name, days in DEPOSIT_DAYS.items():
            most = self.limits[user][name].at(now_ms)
            inside = sum(one[2] for one in self.deposited if one[0] == user and now_ms - one[1] < days * DAY_MS)
            if most is not None and inside + amount > most:
                return False
        return True

    def bet(self, bet_id: str, user: int, cell_id: str, amount: int, now_ms: int) -> None:
        self.moved.append((user, now_ms, amount, 0))
        self.balance[user] -= amount
        self.open[bet_id] = (user, cell_id, amount)
        self.taken.add((user, cell_id))

    def can_withdraw(self, user: int, amount: int) -> str | None:
        if amount < WITHDRAWAL_MIN_CENTS:
            return "WITHDRAWAL_TOO_SMALL"
        if [owner for owner, _ in self.pending.values()].count(user) >= PENDING_MAX:
            return "WITHDRAWALS_PENDING"
        return None if self.balance[user] >= amount else "INSUFFICIENT_FUNDS"

    def settle(self, start_s: int, low: int, high: int, covered: bool, rates: dict[str, int], now_ms: int) -> None:
        for bet_id, (user, cell_id, amount) in list(self.open.items()):
            column, band_low, band_high = map(int, cell_id.split("_"))
            if column == start_s:
                won = band_low <= high and band_high >= low
                returned = amount if not covered else won * (amount * rates[bet_id] // 10_000)
                self.balance[user] += returned
                self.moved.append((user, now_ms, 0, returned))
                del self.open[bet_id]
