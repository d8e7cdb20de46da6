"""Rows as players see them: one type each, the same in answers, events and statements."""

from __future__ import annotations

from typing import Literal, assert_never

import msgspec
from msgspec.structs import astuple

from runtime.clock import rfc3339, rfc3339_if_any
from runtime.game.bets import Bet, Status
from runtime.game.columns import Column, evidence_row
from runtime.game.ledger import CommitEvent, Entry, RefType


class BetView(msgspec.Struct, frozen=True):
    """A bet as its owner sees it, in cents and basis points."""

    id: str
    cell_id: str
    amount: int
    reward_rate: int
    """What a hit pays per 10,000 of the stake; 0 where the bet was refused."""
    status: Status
    placed_at: str
    resolved_at: str | None
    payout_amount: int | None
    refusal_code: str | None
    refusal_detail: str | None
    min_rate_bp: int
    tick_id: int | None
    price_cents: int | None
    column_start_s: int
    low_cents: int
    high_cents: int
    received_ms: int
    placed_ms: int
    placed_commit: int
    resolved_commit: int | None


class BetEvent(BetView, frozen=True, kw_only=True):
    """A bet, when it is judged and when it ends."""

    event_id: str


class PendingView(msgspec.Struct, frozen=True):
    """A bet that waits for its commit, which comes until `decided_by_ms` or never."""

    id: str
    decided_by_ms: int | None
    cell_id: str | msgspec.UnsetType = msgspec.UNSET
    amount: int | msgspec.UnsetType = msgspec.UNSET
    status: Literal["pending"] = "pending"


class EntryMetadata(msgspec.Struct, frozen=True):
    """What is noted of an entry: `reference` names the payment that a withdrawal's reversal is about."""

    reference: str | msgspec.UnsetType = msgspec.UNSET


class StaffMetadata(EntryMetadata, frozen=True):
    """The same for operators: who of the staff made the entry, and why."""

    who: str | msgspec.UnsetType = msgspec.UNSET
    why: str | msgspec.UnsetType = msgspec.UNSET


class EntryView(msgspec.Struct, frozen=True):
    """A ledger entry as its owner sees it; `amount` is what the account gains, in cents."""

    id: str
    amount: int
    balance_after: int
    ref_type: RefType
    ref_id: str
    created_at: str
    created_ms: int
    commit_number: int
    metadata: EntryMetadata


class StaffEntryView(EntryView, frozen=True):
    """The same for operators."""

    metadata: StaffMetadata


class BalanceEvent(msgspec.Struct, frozen=True):
    """A balance in cents, with the ledger entry that changed it."""

    balance: int
    ledger_id: str
    ref_type: RefType
    ref_id: str
    amount: int
    event_id: str


class ColumnView(msgspec.Struct, frozen=True):
    """What the price did in the column's window: recompute any of its bets from it, for ever."""

    start_s: int
    end_s: int
    covered: bool
    open: int | None
    low: int | None
    high: int | None
    close: int | None
    tick_count: int
    ticks_sha256: str
    first_tick_id: int | None
    last_tick_id: int | None
    reason: str | None
    """Why the window has no result; null where it has one."""
    settled_at: str


class ColumnEvent(ColumnView, frozen=True, kw_only=True):
    """A column's evidence; its bets' results follow."""

    event_id: str


class CommittedEvent(msgspec.Struct, frozen=True):
    """An event as it travels on the bus: its position in the commit, its user (None: everybody), its type, its data."""

    n: int
    user: str | None
    type: Literal["bet", "balance", "column"]
    data: BetEvent | BalanceEvent | ColumnEvent


_metadata = msgspec.json.Decoder(EntryMetadata)
_staff_metadata = msgspec.json.Decoder(StaffMetadata)


def bet_view(bet: Bet) -> BetView:
    """Return a bet as its owner sees it."""
    # By position: naming twenty fields costs as much again, and the writer makes one of every bet.
    return BetView(
        bet.id,
        bet.cell_id,
        bet.amount,
        bet.reward_rate,
        bet.status,
        rfc3339(bet.placed_at),
        rfc3339_if_any(bet.resolved_at),
        bet.payout_amount,
        bet.refusal_code,
        bet.refusal_detail,
        bet.min_rate_bp,
        bet.tick_id,
        bet.tick_close,
        bet.column_start_s,
        bet.low_cents,
        bet.high_cents,
        bet.received_ms,
        bet.placed_at,
        bet.placed_commit,
        bet.resolved_commit,
    )


def entry_view(entry: Entry) -> EntryView:
    """Return a ledger entry as its owner sees it: who of the staff made it, and why, is for operators."""
    return EntryView(*_entry(entry), _metadata.decode(entry.metadata))


def staff_entry_view(entry: Entry) -> StaffEntryView:
    """Return a ledger entry as operators see it."""
    return StaffEntryView(*_entry(entry), _staff_metadata.decode(entry.metadata))


def _entry(entry: Entry) -> tuple[str, int, int, RefType, str, str, int, int]:
    return (
        entry.id,
        entry.amount,
        entry.balance_after,
        entry.ref_type,
        entry.ref_id,
        rfc3339(entry.created_at),
        entry.created_at,
        entry.commit_number,
    )


def column_view(column: Column) -> ColumnView:
    """Return a settled column's evidence."""
    evidence = (*evidence_row(column), rfc3339(column.begun_at))
    return ColumnView(*evidence)


def event(told: CommitEvent, commit_number: int, view: BetView | None = None) -> CommittedEvent:
    """Return an event as it travels on the bus; `view` is the bet's, if it is there already."""
    event_id = f"c{commit_number}.{told.position}"
    match told.content:
        case Bet() as bet:
            shown = bet_view(bet) if view is None else view
            return CommittedEvent(told.position, told.user_id, "bet", BetEvent(*astuple(shown), event_id=event_id))
        case Entry() as entry:
            balance = BalanceEvent(entry.balance_after, entry.id, entry.ref_type, entry.ref_id, entry.amount, event_id)
            return CommittedEvent(told.position, told.user_id, "balance", balance)
        case Column() as column:
            evidence = ColumnEvent(*astuple(column_view(column)), event_id=event_id)
            return CommittedEvent(told.position, told.user_id, "column", evidence)
        case _:
            assert_never(told.content)
