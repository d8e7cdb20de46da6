"""Rows as players see them: the same dictionaries in answers, events and statements."""

from __future__ import annotations

import json
from typing import Any, assert_never

from runtime.clock import rfc3339, rfc3339_if_any
from runtime.game.bets import Bet
from runtime.game.columns import EVIDENCE_FIELDS, Column, evidence_row
from runtime.game.ledger import CommitEvent, Entry

STAFF_ONLY = frozenset({"who", "why"})


def bet_view(bet: Bet) -> dict[str, Any]:
    """Return a bet as its owner sees it."""
    return {
        "id": bet.id,
        "cell_id": bet.cell_id,
        "amount": bet.amount,
        "reward_rate": bet.reward_rate,
        "status": bet.status,
        "placed_at": rfc3339(bet.placed_at),
        "resolved_at": rfc3339_if_any(bet.resolved_at),
        "payout_amount": bet.payout_amount,
        "refusal_code": bet.refusal_code,
        "refusal_detail": bet.refusal_detail,
        "min_rate_bp": bet.min_rate_bp,
        "tick_id": bet.tick_id,
        "price_cents": bet.tick_close,
        "column_start_s": bet.column_start_s,
        "low_cents": bet.low_cents,
        "high_cents": bet.high_cents,
        "received_ms": bet.received_ms,
        "placed_ms": bet.placed_at,
        "placed_commit": bet.placed_commit,
        "resolved_commit": bet.resolved_commit,
    }


def entry_view(entry: Entry) -> dict[str, Any]:
    """Return a ledger entry as it stands in a statement."""
    return {
        "id": entry.id,
        "amount": entry.amount,
        "balance_after": entry.balance_after,
        "ref_type": entry.ref_type,
        "ref_id": entry.ref_id,
        "created_at": rfc3339(entry.created_at),
        "created_ms": entry.created_at,
        "commit_number": entry.commit_number,
        "metadata": json.loads(entry.metadata),
    }


def own_entry_view(entry: Entry) -> dict[str, Any]:
    """Return a ledger entry as its owner sees it: who of the staff made it, and why, is for operators."""
    view = entry_view(entry)
    view["metadata"] = {name: value for name, value in view["metadata"].items() if name not in STAFF_ONLY}
    return view


def column_view(column: Column) -> dict[str, Any]:
    """Return a settled column's evidence."""
    return dict(zip(EVIDENCE_FIELDS, evidence_row(column), strict=True)) | {"settled_at": rfc3339(column.begun_at)}


def event(told: CommitEvent, commit_number: int, view: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an event as it travels on the bus: its position, its user, its type and its data.

    `view` is the bet's, if it is there already.
    """
    match told.content:
        case Bet() as bet:
            kind, data = "bet", bet_view(bet) if view is None else dict(view)
        case Entry() as entry:
            kind = "balance"
            data = {
                "balance": entry.balance_after,
                "ledger_id": entry.id,
                "ref_type": entry.ref_type,
                "ref_id": entry.ref_id,
                "amount": entry.amount,
            }
        case Column() as column:
            kind, data = "column", column_view(column)
        case _:
            assert_never(told.content)
    data["event_id"] = f"c{commit_number}.{told.position}"
    return {"n": told.position, "user": told.user_id, "type": kind, "data": data}
