"""Commands for the writer, as the API would queue them, and the price that bets are filled at."""

from __future__ import annotations

import secrets
from typing import Any

from runtime.game.grid import Cell, GridRules
from runtime.game.ticks import Features, Tick
from runtime.messaging.commands import PlaceBet
from runtime.messaging.queues import new_id
from runtime.settings import Settings

STAKE_CENTS = 100
PRICE_CENTS = 9_400_000
COMMAND_TTL_MS = 40_000
"""Longer than any queue here takes: a command that is decided too late would be given up."""


def stamped(now_ms: int) -> dict[str, Any]:
    """Return what any command has."""
    return {"id": new_id(now_ms), "received_ms": now_ms, "decided_by_ms": now_ms + COMMAND_TTL_MS}


def place_bet(user: str, cell: Cell, now_ms: int, **changes: Any) -> PlaceBet:
    """Return a bet; its signature, which the API has checked, is only as long as one."""
    return PlaceBet(
        **stamped(now_ms) | changes,
        user_id=user,
        cell_id=cell.id,
        amount=STAKE_CENTS,
        min_rate_bp=10_000,
        nonce=secrets.token_hex(16),
        signed_at_s=now_ms // 1000,
        signature="0x" + secrets.token_hex(65),
        signer="0x" + secrets.token_hex(20),
    )


def tick(now_ms: int, volatility: float) -> Tick:
    """Return a price of this moment; the more volatile, the more cells are offered."""
    features = Features(volatility=volatility, sample_ms=200, history_ms=600_000)
    return Tick(now_ms, now_ms, PRICE_CENTS, PRICE_CENTS, PRICE_CENTS, "sim", features)


def grid_rules(settings: Settings) -> GridRules:
    """Return the grid of these settings."""
    return GridRules(settings.column_seconds, settings.horizon_columns, settings.row_step_cents, settings.rows)
