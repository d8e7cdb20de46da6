"""Gestures made of bets: what they would say alone, said under one signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runtime.auth.bet_text import gesture_text
from runtime.game.gestures import TapLine, gesture_id_from, taps_text, with_number
from runtime.messaging.commands import PlaceBet, PlaceBets, TakenTap


def gesture_of_bets(bets: Sequence[PlaceBet], sign: Callable[[str], str] | None = None) -> PlaceBets:
    """Return a gesture whose taps are these bets; its id, nonce, signer and times are those of the first one."""
    first = bets[0]
    taps = taps_text(TapLine(bet.cell_id, bet.amount, bet.min_rate_bp) for bet in bets)
    text = gesture_text(taps, first.nonce, first.signed_at_s, 1)
    return PlaceBets(
        id=gesture_id_from(first.id),
        received_ms=first.received_ms,
        decided_by_ms=max(bet.decided_by_ms for bet in bets),
        user_id=first.user_id,
        taps=taps,
        taken=[TakenTap(number, bet.decided_by_ms) for number, bet in enumerate(bets, 1)],
        nonce=first.nonce,
        signed_at_s=first.signed_at_s,
        signature=first.signature if sign is None else sign(text),
        signer=first.signer,
        delegation_id=first.delegation_id,
        fill_delay_ms=first.fill_delay_ms,
    )


def bet_ids(gesture: PlaceBets) -> list[str]:
    """Return the ids that the bets of a gesture have."""
    return [with_number(gesture.id, tap.number) for tap in gesture.taken]
