"""The database after a run, read as plain rows: what the house says happened."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from runtime.storage.database import Database
from tests.chaos.attempts import LIVE
from tests.chaos.hearing import Spot

BETS = (
    "SELECT id, user_id, cell_id, amount, reward_rate, min_rate_bp, status, payout_amount,"
    " CASE WHEN nonce = '' THEN (SELECT gestures.nonce FROM gestures WHERE gestures.seq <= bets.seq"
    " ORDER BY gestures.seq DESC LIMIT 1) || ' ' || cell_id ELSE nonce END,"
    " placed_commit, placed_place, resolved_commit, resolved_place"
    " FROM bets ORDER BY seq"
)
"""A bet of a gesture has no nonce of its own: it goes by the gesture's and by its cell, as its attempt does."""
ENTRIES = "SELECT user_id, amount, ref_type, ref_id, commit_number, place FROM transaction_ledger ORDER BY id"
BP = 10_000


@dataclass(frozen=True, slots=True)
class BetRow:
    """A stored bet."""

    id: str
    user_id: str
    cell_id: str
    amount: int
    reward_rate: int
    min_rate_bp: int
    status: str
    payout_amount: int | None
    nonce: str
    placed_commit: int
    placed_place: int
    resolved_commit: int | None
    resolved_place: int | None

    @property
    def is_live(self) -> bool:
        """Tell whether it took the money."""
        return self.status in LIVE

    def due_entries(self) -> dict[str, list[int]]:
        """Return the ledger entries that its status asks for."""
        due: dict[str, list[int]] = {}
        if self.is_live:
            due["BET"] = [-self.amount]
        if self.status == "won":
            due["PAYOUT"] = [self.amount * self.reward_rate // BP]
        if self.status == "void":
            due["REFUND"] = [self.amount]
        return due


@dataclass(slots=True)
class Record:
    """All bets and all entries, by what they belong to."""

    bets: dict[str, BetRow] = field(default_factory=dict)
    by_nonce: dict[tuple[str, str], list[BetRow]] = field(default_factory=lambda: defaultdict(list))
    of_bet: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    of_user: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """Amounts by user and kind of entry."""
    balances: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    """What each account goes by: its wallet's address, or the one that stands for a guest's key."""
    spots: dict[str, list[Spot]] = field(default_factory=lambda: defaultdict(list))
    """By user, where in which commit something was written that the user is told of, in order."""

    @classmethod
    def read(cls, database: Database) -> Record:
        """Read one state of the database."""
        record = cls()
        with database.snapshot():
            record.balances = dict(database.execute("SELECT id, balance FROM users"))
            record.addresses = dict(database.execute("SELECT id, wallet_address FROM users"))
            for row in database.iterate(BETS):
                record._add_bet(BetRow(*row))
            for user_id, amount, ref_type, ref_id, commit, place in database.iterate(ENTRIES):
                record.of_user[user_id, ref_type].append(amount)
                record.of_bet.setdefault(ref_id, {}).setdefault(ref_type, []).append(amount)
                record.spots[user_id].append((commit, place))
        for spots in record.spots.values():
            spots.sort()
        return record

    def _add_bet(self, bet: BetRow) -> None:
        self.bets[bet.id] = bet
        self.by_nonce[bet.user_id, bet.nonce].append(bet)
        self.spots[bet.user_id].append((bet.placed_commit, bet.placed_place))
        if bet.resolved_commit is not None and bet.resolved_place is not None:
            self.spots[bet.user_id].append((bet.resolved_commit, bet.resolved_place))
