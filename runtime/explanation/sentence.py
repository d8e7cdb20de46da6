"""Why a bet ended as it did, in one sentence that its player can check."""

from __future__ import annotations

from runtime.game.bets import Bet
from runtime.game.columns import Evidence
from runtime.game.money import dollars, factor


def sentence(bet: Bet, column: Evidence | None) -> str:
    """Say why a bet won, lost, was void or was refused; `column` is its column's evidence, once there is some."""
    band = f"{dollars(bet.low_cents)} to {dollars(bet.high_cents)}"
    if bet.refusal_code is not None:
        return f"Refused with {bet.refusal_code}: {bet.refusal_detail} No money was taken."
    if bet.status == "confirmed" or column is None:
        return f"Open: wins at {factor(bet.reward_rate)} if the price touches {band} in its column."
    if bet.status == "void":
        return f"Void, the stake was refunded: the column's prices are not covered ({column.reason})."
    seen = f"the price was between {dollars(column.low or 0)} and {dollars(column.high or 0)}"
    if bet.status == "won":
        paid = f"{dollars(bet.amount)} x {factor(bet.reward_rate)} = {dollars(bet.payout_amount or 0)}"
        return f"Won {paid} (rounded down to the cent): {seen}, which touches {band}."
    return f"Lost: {seen}, which does not touch {band}."
