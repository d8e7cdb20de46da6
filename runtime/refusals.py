"""From an outcome's code to the refusal that a caller gets."""

from __future__ import annotations

from runtime.commands import Outcome
from runtime.errors import (
    Conflict,
    Forbidden,
    InsufficientFunds,
    LimitReached,
    NotFound,
    Refusal,
    Unavailable,
    Unprocessable,
)

BY_CODE: dict[str, type[Refusal]] = {
    "INSUFFICIENT_FUNDS": InsufficientFunds,
    "LIMIT_REACHED": LimitReached,
    "DEPOSIT_LIMIT": Forbidden,
    "NOT_FOUND": NotFound,
    "DUPLICATE_BET": Conflict,
    "RATE_MOVED": Conflict,
    "CELL_CLOSED": Conflict,
    "BET_EXPIRED": Conflict,
    "EXPOSURE_LIMIT": Conflict,
    "REFERENCE_USED": Conflict,
    "WITHDRAWAL_RESOLVED": Conflict,
    "CELL_UNKNOWN": Unprocessable,
    "CELL_NOT_OFFERED": Unprocessable,
    "STAKE_NOT_ALLOWED": Unprocessable,
    "IDEMPOTENCY_KEY_REUSED": Unprocessable,
    "PRICE_FEED_STALE": Unavailable,
}
RETRY_AFTER_S = {"PRICE_FEED_STALE": 1}


def refusal_of(outcome: Outcome) -> Refusal:
    """Build the refusal of an outcome that has a code; its data become the typed arguments."""
    code = outcome.code or "CONFLICT"
    return BY_CODE.get(code, Conflict)(outcome.detail, code=code, retry_after_s=RETRY_AFTER_S.get(code), **outcome.data)
