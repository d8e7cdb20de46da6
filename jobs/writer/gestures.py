"""Gestures in the writer: one command becomes a bet for each tap, and what became of these one outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runtime.game.gestures import Gesture, parse_tap, with_number
from runtime.game.ledger import Commit
from runtime.messaging.commands import AnyBet, Outcome, PlaceBet, PlaceBets
from runtime.personal.seal import Seal, about


class TapBet(PlaceBet, kw_only=True, frozen=True):
    """A tap of a gesture as a bet of its own, within the writer; nonce and signature are the gesture's."""

    gesture: PlaceBets


def each_bet(commands: Iterable[AnyBet]) -> list[PlaceBet]:
    """Return the bets of commands, those of a gesture one after the other; raise ValueError for a crafted line."""
    bets: list[PlaceBet] = []
    for command in commands:
        if isinstance(command, PlaceBet):
            bets.append(command)
        else:
            bets.extend(_taps(command))
    return bets


def _taps(command: PlaceBets) -> list[TapBet]:
    lines = command.taps.split("\n")
    bets = []
    for taken in command.taken:
        tap = parse_tap(lines[taken.number - 1]) if taken.number <= len(lines) else None
        if tap is None or tap.amount <= 0:
            raise ValueError(f"gesture {command.id} has no tap {taken.number}")
        bets.append(
            TapBet(
                id=with_number(command.id, taken.number),
                received_ms=command.received_ms,
                decided_by_ms=taken.decided_by_ms,
                user_id=command.user_id,
                cell_id=tap.cell_id,
                amount=tap.amount,
                min_rate_bp=tap.min_rate_bp,
                nonce="",
                signed_at_s=command.signed_at_s,
                signature="",
                signer=command.signer,
                delegation_id=command.delegation_id,
                fill_delay_ms=command.fill_delay_ms,
                gesture=command,
            )
        )
    return bets


def begin(commit: Commit, seal: Seal, command: PlaceBets) -> None:
    """Write what the bets of a gesture share, right before the first of them."""
    sealed = seal.close(command.signature, about("gesture", command.id))
    gesture = Gesture(command.id, command.taps, command.nonce, sealed)
    commit.insert_gesture(gesture, commit.record("gesture", *gesture))


def each_outcome(commands: Sequence[AnyBet], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return one outcome a command, in their order; a gesture's tells of each of its bets."""
    if len(commands) == len(outcomes) and not any(isinstance(command, PlaceBets) for command in commands):
        return list(outcomes)
    found, left = [], iter(outcomes)
    for command in commands:
        if isinstance(command, PlaceBet):
            found.append(next(left))
        else:
            found.append(_together(command, [next(left) for _ in command.taken]))
    return found


def _together(command: PlaceBets, outcomes: Sequence[Outcome]) -> Outcome:
    taps = [_told(outcome) for outcome in outcomes]
    refused = sum(outcome.code is not None for outcome in outcomes)
    return Outcome(command.id, {"gesture_id": command.id, "taps": taps}, bets=len(taps), refused=refused)


def _told(outcome: Outcome) -> dict[str, Any]:
    """Return what became of one tap: what a single bet's answer would hold, or its refusal."""
    if outcome.code is None:
        return outcome.data
    return {"refusal": {"code": outcome.code, "detail": outcome.detail, **outcome.data}}
