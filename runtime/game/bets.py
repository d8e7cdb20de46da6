"""A bet as it is stored: the row, its statuses and what may be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, get_args

Status = Literal["confirmed", "won", "lost", "void", "refused", "insufficient_funds"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(slots=True)
class Bet:
    """One row of `bets`; fields are its columns, in order."""

    seq: int
    id: str
    user_id: str
    cell_id: str
    amount: int
    reward_rate: int
    status: Status
    placed_at: int
    resolved_at: int | None
    payout_amount: int | None
    refusal_code: str | None
    refusal_detail: str | None
    refusal_arguments: str | None
    column_start_s: int
    low_cents: int
    high_cents: int
    min_rate_bp: int
    nonce: str
    signed_at_s: int
    signature: str
    signer: str
    delegation_id: str | None
    received_ms: int
    decided_by_ms: int
    tick_id: int | None
    tick_close: int | None
    volatility: float | None
    features: str | None
    model_id: str | None
    model_version: str | None
    model_now_ms: int | None
    placed_commit: int
    placed_place: int
    resolved_commit: int | None
    resolved_place: int | None
    fill_delay_ms: int | None
    """How long the bet had to wait: its tick lies later than that after the receipt. None: it had not to."""


COLUMNS: tuple[str, ...] = tuple(Bet.__slots__)
RESOLVED_COLUMNS = ("status", "resolved_at", "payout_amount", "resolved_commit", "resolved_place")
# What a bet said when it was placed: everything but its row number and what settlement adds. This is what the
# hash of its commit covers, so `status` is left to (refusal_code, resolved_commit).
PLACED_COLUMNS = tuple(name for name in COLUMNS if name not in (*RESOLVED_COLUMNS, "seq"))

placed_content: Callable[[Bet], tuple[Any, ...]] = attrgetter(*PLACED_COLUMNS)


def from_row(row: tuple[Any, ...]) -> Bet:
    """Build a bet from a row of all columns; raise ValueError on a status that is none."""
    bet = Bet(*row)
    if bet.status not in STATUSES:
        raise ValueError(f"bet {bet.id} has the unknown status {bet.status!r}")
    return bet
