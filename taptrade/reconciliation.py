"""Payments of a processor held against the ledger: what both have, and how, or only one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Literal

import msgspec

from runtime.clock import rfc3339, rfc3339_if_any
from runtime.game.money import dollars
from runtime.operating.withdrawals import list_withdrawals
from runtime.records.queries import QUERIES
from runtime.storage.database import Database
from taptrade.payment_file import Kind, Payment, known_account

BATCH_ROWS = 500
PENDING_MAX = 10**6

What = Literal[
    "twice_in_file",
    "not_in_ledger",
    "not_in_file",
    "amount_differs",
    "account_differs",
    "pending_here",
    "reversed_here",
]


class Difference(msgspec.Struct, frozen=True):
    """One thing in which file and ledger differ; `line` is None for what only the ledger has."""

    what: What
    kind: Kind
    reference: str
    sentence: str
    line: int | None = None
    file_cents: int | None = None
    ledger_cents: int | None = None


class Sum(msgspec.Struct):
    """How many payments, and what they come to."""

    count: int = 0
    cents: int = 0

    def add(self, cents: int) -> None:
        """Count one more."""
        self.count += 1
        self.cents += cents


class _Known(msgspec.Struct, frozen=True):
    """What the ledger has of a payment; `names` are the ids and addresses of whose it is."""

    cents: int
    names: tuple[str, ...]
    status: str = "completed"
    id: str = ""


class Reconciliation:
    """Take the payments of a file, a few hundred at a time, and look each up; then ask for what the file lacks.

    What is kept of a payment is its reference, for its second coming, and of the differences the first so many.
    """

    def __init__(self, database: Database, differences_max: int) -> None:
        self.differences: list[Difference] = []
        self.counts: Counter[What] = Counter()
        self.in_file: dict[Kind, Sum] = {"deposit": Sum(), "withdrawal": Sum()}
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self._database = database
        self._differences_max = differences_max
        self._met: dict[Kind, set[str]] = {"deposit": set(), "withdrawal": set()}
        self._ended: set[str] = set()
        """The ids of the withdrawals that the file knows, by whichever name."""
        self._pending: dict[tuple[str, int], list[str]] = {}
        for one in list_withdrawals(database.dicts, status="pending", limit=PENDING_MAX):
            for name in (one.user_id, one.to_address.lower()):
                self._pending.setdefault((name, one.amount), []).append(one.id)

    def take(self, payments: Iterable[Payment]) -> None:
        """Look up every payment of a file."""
        rest = iter(payments)
        while batch := list(islice(rest, BATCH_ROWS)):
            deposits = self._deposits([one.reference for one in batch if one.kind == "deposit"])
            withdrawals = self._withdrawals([one.reference for one in batch if one.kind == "withdrawal"])
            for one in batch:
                self._take(one, deposits if one.kind == "deposit" else withdrawals)

    def ask_for_the_rest(self, from_ms: int, to_ms: int, who: Collection[str]) -> None:
        """Name what the ledger has in [from, to] and the file has not; `who` entered it, empty for anybody."""
        ask, span = self._database.iterate, (from_ms, to_ms)
        for reference, cents, user_id, at_ms, entered_by in ask(QUERIES["deposits_between"], span):
            if reference not in self._met["deposit"] and (not who or entered_by in who):
                said = f"credited to {user_id} at {rfc3339(at_ms)} by {entered_by}"
                self._note(Difference("not_in_file", "deposit", reference, said, ledger_cents=cents))
        for id_, reference, cents, user_id, at_ms, entered_by in ask(QUERIES["completed_between"], span):
            if id_ not in self._ended and (not who or entered_by in who):
                said = f"withdrawal {id_} of {user_id} was completed at {rfc3339_if_any(at_ms)} by {entered_by}"
                self._note(Difference("not_in_file", "withdrawal", reference, said, ledger_cents=cents))

    def _take(self, one: Payment, known: dict[str, _Known]) -> None:
        self.in_file[one.kind].add(one.cents)
        self.first_ms = one.at_ms if self.first_ms is None else min(self.first_ms, one.at_ms)
        self.last_ms = one.at_ms if self.last_ms is None else max(self.last_ms, one.at_ms)
        met = self._met[one.kind]
        if one.reference in met:
            self._differ("twice_in_file", one, "an earlier row has this reference")
            return
        met.add(one.reference)
        found = known.get(one.reference)
        if found is None:
            self._differ_unknown(one)
            return
        if found.id:
            if found.id in self._ended:
                self._differ("twice_in_file", one, f"an earlier row is about withdrawal {found.id} already", found)
            self._ended.add(found.id)
        self._compare(one, found)

    def _compare(self, one: Payment, found: _Known) -> None:
        if found.status == "pending":
            self._differ("pending_here", one, _complete(found.id), found)
        elif found.status == "reversed":
            self._differ("reversed_here", one, f"withdrawal {found.id} gave the money back, and it was paid out", found)
        if one.cents != found.cents:
            said = f"{dollars(one.cents)} in the file, {dollars(found.cents)} in the ledger"
            self._differ("amount_differs", one, said, found)
        if one.account and one.account not in found.names:
            said = f"{one.account} in the file, {' '.join(dict.fromkeys(found.names))} in the ledger"
            self._differ("account_differs", one, said, found)

    def _differ_unknown(self, one: Payment) -> None:
        """Tell of a payment that the ledger does not have by its reference; a withdrawal may be waiting for it."""
        waiting = self._pending.get((one.account, one.cents), []) if one.kind == "withdrawal" else []
        waiting = [id_ for id_ in waiting if id_ not in self._ended]
        if waiting:
            self._ended.add(waiting[0])
            known = _Known(one.cents, (), "pending", waiting[0])
            self._differ("pending_here", one, f"of this account and amount, {_complete(waiting[0])}", known)
        else:
            self._differ("not_in_ledger", one, f"{dollars(one.cents)} at {rfc3339(one.at_ms)} {one.account}".rstrip())

    def _deposits(self, references: list[str]) -> dict[str, _Known]:
        rows = self._database.execute(QUERIES["deposits_named"], (_list(references),))
        return {reference: _Known(cents, (user_id, wallet)) for reference, cents, user_id, wallet in rows}

    def _withdrawals(self, references: list[str]) -> dict[str, _Known]:
        """Find them by the payment's reference or by their own id, whichever the processor was told."""
        ids = [known_account(one) for one in references]
        found: dict[str, _Known] = {}
        for row in self._database.execute(QUERIES["withdrawals_named"], (_list(references), _list(ids))):
            id_, reference, cents, status, user_id, to_address, wallet = row
            known = _Known(cents, (user_id, wallet, to_address), status, id_)
            found.setdefault(id_, known)
            if reference is not None:
                found[reference] = known
        return {
            one: found[name] for one, id_ in zip(references, ids, strict=True) for name in (id_, one) if name in found
        }

    def _differ(self, what: What, one: Payment, sentence: str, found: _Known | None = None) -> None:
        ledger_cents = found.cents if found else None
        self._note(Difference(what, one.kind, one.reference, sentence, one.line, one.cents, ledger_cents))

    def _note(self, difference: Difference) -> None:
        self.counts[difference.what] += 1
        if len(self.differences) < self._differences_max:
            self.differences.append(difference)


def _complete(id_: str) -> str:
    return f"withdrawal {id_} is pending here; `taptrade withdrawal complete {id_}` ends it"


def _list(values: list[str]) -> str:
    return msgspec.json.encode(values).decode()
