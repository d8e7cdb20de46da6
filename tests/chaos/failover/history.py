"""What players read while machines failed, judged by the ledger that is left: no read sees money made or lost.

A player's account is a list of entries that only ever grows, and a read shows a moment of it. So each read must be a
run of the stored entries, chained by their balances; each later read of the same player must end no earlier; whatever
was acknowledged before a read began must be in it, and nothing that was asked for only after it ended.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FROM_A_BET = frozenset({"PAYOUT", "REFUND"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement of money, in cents, and the balance after it."""

    id: str
    amount: int
    balance_after: int
    kind: str
    ref_id: str


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as the surviving ledger has it, and the commit that wrote it."""

    entry: Entry
    commit: int


@dataclass(frozen=True, slots=True)
class Read:
    """What one request showed of an account, oldest entry first; without entries the balance alone."""

    began_ms: int
    ended_ms: int
    balance: int
    entries: tuple[Entry, ...] = ()
    is_whole: bool = False
    """Whether the first entry shown is the account's first."""


@dataclass(slots=True)
class Account:
    """One player's history."""

    name: str
    stored: Sequence[Stored] = ()
    """In the order of their commits."""
    reads: Sequence[Read] = ()
    acknowledged: Mapping[str, int] = field(default_factory=dict)
    """When it was certain for the player, by the bet's id."""
    sent: Mapping[str, int] = field(default_factory=dict)
    """When it was asked for first, by the bet's id, in doubt or not."""


def violations(account: Account) -> list[str]:
    """Return a sentence for everything that no honest ledger shows."""
    return [f"{account.name}: {sentence}" for sentence in (*_ledger(account), *_Judge(account).all())]


def _ledger(account: Account) -> list[str]:
    """Judge the stored entries themselves: a chain, in which a bet pays back once and after its stake."""
    found: list[str] = []
    staked: set[str] = set()
    paid: set[str] = set()
    balance = commit = 0
    for stored in account.stored:
        entry = stored.entry
        balance += entry.amount
        if entry.balance_after != balance:
            found.append(f"commit {stored.commit} leaves {entry.balance_after}, and {balance} is due")
            balance = entry.balance_after
        if stored.commit < commit:
            found.append(f"entry {entry.id} of commit {stored.commit} follows one of commit {commit}")
        commit = stored.commit
        if entry.kind == "BET":
            if entry.ref_id in staked:
                found.append(f"bet {entry.ref_id} took its stake twice")
            if entry.ref_id not in account.sent:
                found.append(f"bet {entry.ref_id} was never asked for")
            staked.add(entry.ref_id)
        elif entry.kind in FROM_A_BET:
            if entry.ref_id not in staked or entry.ref_id in paid:
                found.append(f"bet {entry.ref_id} gave money back that is not due (commit {stored.commit})")
            paid.add(entry.ref_id)
    found += [f"bet {one} was acknowledged and is not stored" for one in account.acknowledged if one not in staked]
    return found


class _Judge:
    """Goes through the reads in the order in which they were asked for."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._stored = [one.entry for one in account.stored]
        self._place = {entry.id: place for place, entry in enumerate(self._stored)}
        staked = {entry.ref_id: place for place, entry in enumerate(self._stored) if entry.kind == "BET"}
        known = sorted((at, staked[bet_id]) for bet_id, at in account.acknowledged.items() if bet_id in staked)
        self._known_ms = [at for at, _ in known]
        self._known_upto = _running_max([place for _, place in known])
        self._seen = -1
        """Up to which place the player has seen the account."""

    def all(self) -> list[str]:
        found: list[str] = []
        for read in sorted(self._account.reads, key=lambda read: read.began_ms):
            found += self._of(read)
        return found

    def _of(self, read: Read) -> list[str]:
        floor, why = self._floor(read)
        if not read.entries:
            return self._balance_alone(read, floor, why)
        found = [
            f"entry {entry.id} ({entry.kind} {entry.amount}) was shown, and the ledger does not have it so"
            for entry in read.entries
            if entry.id not in self._place or self._stored[self._place[entry.id]] != entry
        ]
        if found:
            return found
        first, last = self._place[read.entries[0].id], self._place[read.entries[-1].id]
        if list(read.entries) != self._stored[first : last + 1] or (read.is_whole and first > 0):
            found.append(f"a statement at {read.began_ms} leaves entries out between {first} and {last}")
        if last < floor:
            found.append(f"a statement at {read.began_ms} ends with {self._at(last)}, {why} {self._at(floor)}")
        found += self._early(read)
        self._seen = max(self._seen, last)
        return found

    def _balance_alone(self, read: Read, floor: int, why: str) -> list[str]:
        """Find the earliest moment that explains it; a later one could only excuse more of what follows."""
        for place in range(max(floor, 0), len(self._stored)):
            if self._stored[place].balance_after == read.balance:
                self._seen = max(self._seen, place)
                return []
        if any(entry.balance_after == read.balance for entry in self._stored):
            return [f"a balance of {read.balance} at {read.began_ms} is one of before {self._at(floor)}, {why}"]
        return [f"a balance of {read.balance} at {read.began_ms} never was"]

    def _floor(self, read: Read) -> tuple[int, str]:
        certain = bisect_left(self._known_ms, read.began_ms)
        known = self._known_upto[certain - 1] if certain else -1
        return (known, "acknowledged up to") if known > self._seen else (self._seen, "seen up to")

    def _early(self, read: Read) -> list[str]:
        sent = self._account.sent
        return [
            f"bet {entry.ref_id} was shown before it was asked for"
            for entry in read.entries
            if entry.kind == "BET" and sent.get(entry.ref_id, 0) > read.ended_ms
        ]

    def _at(self, place: int) -> str:
        return f"commit {self._account.stored[place].commit}" if place >= 0 else "nothing"


def _running_max(places: Sequence[int]) -> list[int]:
    most: list[int] = []
    for place in places:
        most.append(max(place, most[-1] if most else -1))
    return most
