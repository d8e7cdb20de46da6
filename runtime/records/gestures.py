"""What became of the taps of a gesture, as its player sees it: each by itself, in the order of the signed text."""

from __future__ import annotations

import json
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from runtime.game.bets import Bet
from runtime.records.views import BetView, PendingView, bet_view


class TapRefusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a tap was not taken: code, sentence and whatever else a single bet's refusal with that code carries."""

    code: str
    """The code of the refusal, which never changes."""
    detail: str
    """What is wrong, in a sentence."""
    refused: BetView | UnsetType = UNSET
    """The bet as it was stored; one that was refused before it reached the writer is not stored."""


class JudgedTap(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a tap: the bet and the balance that it left, or the refusal."""

    bet: BetView | UnsetType = UNSET
    balance: int | UnsetType = UNSET
    refusal: TapRefusal | UnsetType = UNSET
    """Why it was not taken."""


class PendingTap(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tap that is not committed yet, or was refused at once."""

    bet: PendingView | UnsetType = UNSET
    refusal: TapRefusal | UnsetType = UNSET
    """Why it was not taken."""


class ReplayedTap(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a tap of the gesture that used the nonce: its bet, its refusal, or what is known of `bet_id`."""

    bet: BetView | UnsetType = UNSET
    refusal: TapRefusal | UnsetType = UNSET
    """Why it was not taken."""
    outcome: Literal["pending", "never_placed", "unknown"] | UnsetType = UNSET
    """What is known of a bet that is not stored."""
    bet_id: str | UnsetType = UNSET


class PlacedGesture(msgspec.Struct, frozen=True):
    """What became of each tap, in order."""

    gesture_id: str
    """The gesture; the ids of its bets are made of it."""
    taps: list[JudgedTap]
    """What became of each tap, in order."""


class PendingGesture(msgspec.Struct, frozen=True):
    """Taps that are not committed yet, in order: their outcomes come on the stream, and at GET /api/bets/{bet_id}."""

    gesture_id: str
    """The gesture; the ids of its bets are made of it."""
    taps: list[PendingTap]
    """What is known of each tap, in order."""


def replayed_tap(bet: Bet) -> dict[str, object]:
    """Return what is said of a stored bet where its gesture comes again, in the form of its first answer."""
    view = bet_view(bet)
    if bet.refusal_code is None:
        return {"bet": view}
    arguments = json.loads(bet.refusal_arguments) if bet.refusal_arguments else {}
    told = {"code": bet.refusal_code, "detail": bet.refusal_detail or "", "refused": view}
    return {"refusal": {**told, **arguments}}
