"""Withdrawals as they are shown: one form for whoever asked for them, and the same with who and why for operators.

The writer answers with a row of its table, and stores that answer under the Idempotency-Key; here it gets its form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from runtime.addresses import to_checksum_address
from runtime.clock import rfc3339, rfc3339_if_any


class WithdrawalView(msgspec.Struct, frozen=True):
    """Money on its way to the account's own wallet, in cents; `reference` names the payment or why it came back."""

    id: str
    amount: int
    to_address: str
    status: Literal["pending", "completed", "reversed"]
    requested_at: str
    requested_ms: int
    resolved_at: str | None
    resolved_ms: int | None
    reference: str | None


class OperatorsWithdrawal(WithdrawalView, frozen=True):
    """The same with whose it is, and who ended it and why."""

    user_id: str
    who: str | None
    why: str | None


def withdrawal_view(row: Mapping[str, Any]) -> WithdrawalView:
    """Return a withdrawal as its player sees it; `row` holds the table's columns by name."""
    return WithdrawalView(**_shown(row))


def operators_view(row: Mapping[str, Any]) -> OperatorsWithdrawal:
    """Return a withdrawal as operators see it."""
    return OperatorsWithdrawal(**_shown(row), user_id=row["user_id"], who=row["who"], why=row["why"])


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    resolved_ms = row["resolved_at"]
    return {
        "id": row["id"],
        "amount": row["amount"],
        "to_address": to_checksum_address(row["to_address"]),
        "status": row["status"],
        "requested_at": rfc3339(row["requested_at"]),
        "requested_ms": row["requested_at"],
        "resolved_at": rfc3339_if_any(resolved_ms),
        "resolved_ms": resolved_ms,
        "reference": row["reference"],
    }
