"""Rows as players see them: the same dictionaries in answers, events and statements."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from runtime.game.bets import Bet
from runtime.game.ledger import Entry, News

COLUMN_FIELDS = (
    "start_s",
    "end_s",
    "covered",
    "open",
    "low",
    "high",
    "close",
    "tick_count",
    "ticks_sha256",
    "first_tick_id",
    "last_tick_id",
    "reason",
)


@lru_cache(maxsize=4096)
def rfc3339(ms: int) -> str:
    """Write a time as RFC 3339 with milliseconds, UTC."""
    whole = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ms % 1000:03d}Z"


def bet_view(bet: Bet) -> dict[str, Any]:
    """Return a bet as its owner sees it."""
    return {
        "id": bet.id,
        "cell_id": bet.cell_id,
        "amount": bet.amount,
        "reward_rate": bet.reward_rate,
        "status": bet.status,
        "placed_at": rfc3339(bet.placed_at),
        "resolved_at": None if bet.resolved_at is None else rfc3339(bet.resolved_at),
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


def column_view(row: dict[str, Any]) -> dict[str, Any]:
    """Return a settled column's evidence; `row` holds the table's columns."""
    view = {name: row[name] for name in COLUMN_FIELDS}
    view["covered"] = bool(row["covered"])
    view["settled_at"] = rfc3339(row["begun_at"])
    return view


def event(news: News, commit_number: int, view: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return one piece of news as it travels on the bus: its place, its user, its type and its data.

    `view` is the bet's, if it is there already.
    """
    content = news.content
    if isinstance(content, Bet):
        kind, data = "bet", bet_view(content) if view is None else dict(view)
    elif isinstance(content, Entry):
        kind = "balance"
        data = {
            "balance": content.balance_after,
            "ledger_id": content.id,
            "ref_type": content.ref_type,
            "ref_id": content.ref_id,
            "amount": content.amount,
        }
    else:
        kind, data = "column", column_view(content)
    data["event_id"] = f"c{commit_number}.{news.place}"
    return {"n": news.place, "user": news.user_id, "type": kind, "data": data}
