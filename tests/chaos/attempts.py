"""What players asked for and were answered: one record for each signed bet and each movement of money."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import httpx
import msgspec

from runtime.auth import p256
from taptrade.client import ApiError
from taptrade.views import SETTLED, BetView, PlacedGestureView, SignedBet, SignedGesture, ToldTap

LIVE = SETTLED | {"confirmed"}
"""Statuses of a bet that took the money."""
UNKNOWN = 0
"""The status of an answer that never came."""

Fate = Literal["", "placed", "not placed"]


class Problem(msgspec.Struct, frozen=True):
    """What a refusal may carry about an existing bet."""

    bet: BetView | None = None
    outcome: str = ""
    bet_id: str = ""
    taps: tuple[ToldTap, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one request; `status` is UNKNOWN when the connection broke."""

    status: int
    code: str = ""
    bet: BetView | None = None
    problem: Problem = field(default_factory=Problem)

    @property
    def is_unsure(self) -> bool:
        """Tell whether the request may or may not have had its effect."""
        return self.status == UNKNOWN or self.is_error

    @property
    def is_error(self) -> bool:
        """Tell whether the server failed in a way that it does not foresee."""
        return self.status >= 500 and self.status != httpx.codes.SERVICE_UNAVAILABLE

    @property
    def wants_repeat(self) -> bool:
        """Tell whether sending the same again may bring another answer."""
        return self.is_unsure or self.status in (401, 429, 503)


def answer_of(ex: ApiError | httpx.TransportError) -> Answer:
    """Read what was raised instead of an answer."""
    if isinstance(ex, ApiError):
        return Answer(ex.status, ex.code, problem=msgspec.convert(dict(ex.arguments), Problem))
    return Answer(UNKNOWN, type(ex).__name__)


@dataclass(slots=True)
class Attempt:
    """One signed bet: all its answers, what its player believes became of it, and since which fault.

    A bet counts for the fault that was the newest when its first answer came.
    """

    signed: SignedBet
    first_sent_ms: int
    gesture: SentGesture | None = None
    """What it was signed in with others; it is sent with them only."""
    last_sent_ms: int = 0
    fault: str = ""
    answers: list[Answer] = field(default_factory=list)
    confirmed: list[BetView] = field(default_factory=list)
    """The bets of all answers 201."""
    acknowledged_ms: int = 0
    """When the first answer 201 was here; 0 before."""
    pending: set[str] = field(default_factory=set)
    """Ids that were told, whose fate is not known."""
    told: set[str] = field(default_factory=set)
    """All ids that were told."""
    never_placed: set[str] = field(default_factory=set)
    """Ids that were told to be never placed."""
    fate: Fate = ""
    code: str = ""
    unsure: bool = False

    @property
    def is_by_browser(self) -> bool:
        """Tell whether a P-256 key of a browser signed it."""
        return p256.parse_signature(self.signed.signature) is not None

    def hear(self, answer: Answer, fault: str) -> None:
        """Note an answer to the bet, or to a repeat of it."""
        self.fault = self.fault or fault
        self.answers.append(answer)
        bet = answer.bet or answer.problem.bet
        if bet is not None and bet.status == "pending":
            self._await(bet.id)
        elif answer.bet is not None:
            self.confirmed.append(answer.bet)
            self.told.add(answer.bet.id)
            self.end("placed", answer.code)
        elif answer.code in ("REPLAYED_NONCE", "DUPLICATE_BET"):
            self._hear_of_itself(answer)
        elif answer.is_unsure:
            self.unsure = True
        elif not self.unsure and not self.pending:
            self.end("not placed", answer.code)
        # A refused repeat says nothing about the request whose answer was lost: the list of bets will tell.

    def _hear_of_itself(self, answer: Answer) -> None:
        found = answer.problem
        if found.bet is not None:
            self.told.add(found.bet.id)
            self.end("placed" if found.bet.status in LIVE else "not placed", answer.code)
        elif found.outcome == "never_placed":
            self.never_placed.add(found.bet_id)
            self.end("not placed", answer.code)
        elif found.bet_id:
            self._await(found.bet_id)
        else:
            self.unsure = True

    def _await(self, bet_id: str) -> None:
        self.told.add(bet_id)
        self.pending.add(bet_id)

    def learn(self, bet_id: str, bet: BetView | None) -> None:
        """Note what GET says of a pending id: the stored bet, or None if it was never placed."""
        self.pending.discard(bet_id)
        if bet is None:
            self.never_placed.add(bet_id)
        if bet is not None and bet.status in LIVE:
            self.end("placed", "")
        elif not self.pending and not self.unsure:
            self.end("not placed", "BET_NEVER_PLACED" if bet is None else bet.refusal_code or bet.status)

    def end(self, fate: Fate, code: str) -> None:
        """Note the fate; once placed, nothing that is heard later makes it unplaced."""
        if self.fate != "placed":
            self.fate, self.code = fate, code


@dataclass(slots=True, eq=False)
class SentGesture:
    """Bets under one signature, an attempt each; each goes by the gesture's nonce and its own cell."""

    signed: SignedGesture
    attempts: list[Attempt]

    @classmethod
    def of(cls, signed: SignedGesture, now_ms: int) -> SentGesture:
        """Make an attempt of each tap."""
        gesture = cls(signed, [])
        for tap in signed.taps:
            nonce = f"{signed.nonce} {tap.cell_id}"
            alone = SignedBet(tap.cell_id, tap.amount, tap.min_rate_bp, nonce, signed.timestamp, signed.signature)
            gesture.attempts.append(Attempt(alone, now_ms, gesture))
        return gesture

    def answers(self, told: PlacedGestureView | Answer) -> list[Answer]:
        """Return what an answer to all of it says to each attempt, as if it had been sent alone."""
        if isinstance(told, PlacedGestureView):
            return [_first_answer(tap) for tap in told.taps]
        if told.code == "REPLAYED_NONCE" and told.problem.taps:
            return [_repeats_answer(tap) for tap in told.problem.taps]
        return [told] * len(self.attempts)


def _first_answer(tap: ToldTap) -> Answer:
    if tap.bet is not None:
        return Answer(202 if tap.bet.status == "pending" else 201, bet=tap.bet)
    refusal = tap.refusal or {}
    return Answer(409, str(refusal.get("code", "")), problem=msgspec.convert(refusal, Problem))


def _repeats_answer(tap: ToldTap) -> Answer:
    refused = None if tap.refusal is None else tap.refusal.get("refused", {"id": "", "status": "refused"})
    bet = tap.bet if refused is None else msgspec.convert(refused, BetView)
    return Answer(409, "REPLAYED_NONCE", problem=Problem(bet, tap.outcome, tap.bet_id))


@dataclass(slots=True)
class Movement:
    """One deposit or withdrawal, repeated under its key until it is done."""

    kind: Literal["DEPOSIT", "WITHDRAWAL"]
    key: str
    amount_cents: int
    done: bool = False
    sent: int = 0
