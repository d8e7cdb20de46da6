"""One account's entries and bets in a span of time, explained and added up."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import to_builtins
from msgspec.structs import asdict, astuple

from runtime.clock import rfc3339
from runtime.explanation import Proof
from runtime.explanation.facts import find_column
from runtime.explanation.recomputed import Yardsticks
from runtime.explanation.sentence import sentence
from runtime.game.bets import Bet, from_row
from runtime.game.columns import Column
from runtime.game.ids import first_id_at
from runtime.game.ledger import SQL, Entry
from runtime.game.money import dollars
from runtime.game.player_entries import entries_newest_first
from runtime.history.shelves import PAST
from runtime.records.queries import QUERIES
from runtime.records.spreadsheet import sheet
from runtime.records.views import BetView, ColumnView, StaffEntryView, bet_view, column_view, staff_entry_view
from runtime.storage.database import Database
from taptrade.books import Account, Ticks, find_account
from taptrade.explain import explain_bet

OF_BETS = ("BET", "PAYOUT", "REFUND")
CSV_FIELDS = (
    *("created_at", "id", "ref_type", "ref_id", "amount", "balance_after", "commit_number"),
    *("cell_id", "stake", "reward_rate", "status", "window_low", "window_high", "explanation"),
)


class Sum(msgspec.Struct, frozen=True):
    """What the entries of one kind come to."""

    count: int
    cents: int


class CaseEntry(StaffEntryView, frozen=True, kw_only=True):
    """An entry of the case, and what it is about."""

    explanation: str


class CaseBet(msgspec.Struct, frozen=True):
    """A bet of the case, why it ended as it did, and its entries in the span."""

    bet: BetView
    evidence: ColumnView | None
    explanation: str
    entries: list[str]
    proof: Proof | None = None


class Case(msgspec.Struct, frozen=True):
    """The statement: opening balance + entries = closing balance, or `faults` says where not."""

    user_id: str
    wallet: str
    from_at: str
    to_at: str
    opening_balance: int
    closing_balance: int
    totals: dict[str, Sum]
    adds_up: bool
    faults: list[str]
    sentence: str
    entries: list[CaseEntry]
    bets: list[CaseBet]


def collect(database: Database, account: Account, from_ms: int, to_ms: int) -> Case:
    """Read the case of [from, to) from one state of the database, and add it up."""
    first, end = first_id_at(from_ms), first_id_at(to_ms)
    with database.snapshot():
        entries = entries_newest_first(database.execute, account.user_id, first, end)[::-1]
        opening = _balance(database, account.user_id, first)
        closing = _balance(database, account.user_id, end)
        # Where the span reaches to the last entry, it must end at what the account holds.
        held = (
            None
            if database.execute(QUERIES["has_entry_from"], (account.user_id, end))
            else find_account(database, account.user_id)
        )
        bets = _bets(database, account.user_id, from_ms, to_ms, entries)
        columns = {start_s: find_column(database.execute, start_s) for start_s in {b.column_start_s for b in bets}}
    shown = {bet.id: _case_bet(bet, columns[bet.column_start_s], entries) for bet in bets}
    faults = _faults(entries, opening, closing)
    if held is not None and held.balance != closing:
        faults.append(f"the account holds {held.balance}, its last entry leaves {closing}")
    totals = _totals(entries)
    moved = sum(each.cents for each in totals.values())
    conclusion = "adds up" if not faults else "DOES NOT ADD UP"
    return Case(
        user_id=account.user_id,
        wallet=account.shown_wallet,
        from_at=rfc3339(from_ms),
        to_at=rfc3339(to_ms),
        opening_balance=opening,
        closing_balance=closing,
        totals=totals,
        adds_up=not faults,
        faults=faults,
        sentence=f"{dollars(opening)} + {dollars(moved)} = {dollars(closing)}: {conclusion}",
        entries=[CaseEntry(*astuple(staff_entry_view(entry)), explanation=_explain(entry, shown)) for entry in entries],
        bets=list(shown.values()),
    )


def prove_bets(
    case: Case, database: Database, ticks: Ticks | None, yardsticks: Yardsticks, live: Database | None = None
) -> Case:
    """Return the case with a proof of every bet; one that does not hold is a fault. `live` is as of `explain_bet`."""
    bets, faults = [], list(case.faults)
    for one in case.bets:
        _, proof = explain_bet(database, ticks, yardsticks, one.bet.id, live)
        bets.append(msgspec.structs.replace(one, proof=proof))
        if not proof.ok:
            faults.append(f"bet {one.bet.id}: its proof does not hold")
    return msgspec.structs.replace(case, bets=bets, faults=faults, adds_up=not faults)


def _balance(database: Database, user_id: str, before_id: str) -> int:
    last = entries_newest_first(database.execute, user_id, below_id=before_id, limit=1)
    if last:
        return last[0].balance_after
    opening = database.execute(PAST["opening_balance"], (user_id,))
    return opening[0][0] if opening else 0


def _bets(database: Database, user_id: str, from_ms: int, to_ms: int, entries: list[Entry]) -> list[Bet]:
    """Return the bets whose money moved in the span, by their stake or later, and those refused in it."""
    found = {
        bet.id: bet for bet in map(from_row, database.execute(QUERIES["refused_between"], (user_id, from_ms, to_ms)))
    }
    for entry in entries:
        if entry.ref_type in OF_BETS and entry.ref_id not in found:
            for row in database.execute(SQL["bet"], (entry.ref_id,)):
                found[entry.ref_id] = from_row(row)
    return sorted(found.values(), key=lambda bet: bet.seq)


def _case_bet(bet: Bet, column: Column | None, entries: list[Entry]) -> CaseBet:
    evidence = column_view(column) if column else None
    own = [entry.id for entry in entries if entry.ref_type in OF_BETS and entry.ref_id == bet.id]
    return CaseBet(bet_view(bet), evidence, sentence(bet, column), own)


def _explain(entry: Entry, bets: dict[str, CaseBet]) -> str:
    if entry.ref_type in OF_BETS:
        known = bets.get(entry.ref_id)
        return f"bet {entry.ref_id}: {known.explanation if known else 'its row is not here'}"
    said = to_builtins(staff_entry_view(entry).metadata)
    words = [entry.ref_id, *(f"{name} {said[name]}" for name in ("reference", "who", "why") if said.get(name))]
    return ", ".join(words)


def _totals(entries: list[Entry]) -> dict[str, Sum]:
    found: dict[str, Sum] = {}
    for entry in entries:
        before = found.get(entry.ref_type, Sum(0, 0))
        found[entry.ref_type] = Sum(before.count + 1, before.cents + entry.amount)
    return found


def _faults(entries: list[Entry], opening: int, closing: int) -> list[str]:
    found = []
    running = opening
    for entry in entries:
        running += entry.amount
        if running != entry.balance_after:
            found.append(f"entry {entry.id}: balance_after {entry.balance_after}, the running sum is {running}")
            running = entry.balance_after
    if opening + sum(entry.amount for entry in entries) != closing:
        found.append("the opening balance and the entries do not come to the closing balance")
    return found


def spreadsheet(case: Case) -> str:
    """Return the entries of a case as CSV, oldest first, amounts in cents."""
    bets = {one.bet.id: one for one in case.bets}
    return sheet(CSV_FIELDS, (_row(entry, bets.get(entry.ref_id)) for entry in case.entries))


def _row(entry: CaseEntry, one: CaseBet | None) -> dict[str, Any]:
    row = asdict(entry)
    if one is None:
        return row
    return row | {
        "cell_id": one.bet.cell_id,
        "stake": one.bet.amount,
        "status": one.bet.status,
        "reward_rate": one.bet.reward_rate,
        "window_low": one.evidence.low if one.evidence else None,
        "window_high": one.evidence.high if one.evidence else None,
    }
