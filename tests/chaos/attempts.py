"""What players asked for and were answered: one record for each signed bet and each movement of money."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import httpx
import msgspec

from runtime.auth import p256
from taptrade.client import ApiError
from taptrade.views import SETTLED, BetView, SignedBet

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


@dataclass(slots=True)
class Movement:
    """One deposit or withdrawal, repeated under its key until it is done."""

    kind: Literal["DEPOSIT", "WITHDRAWAL"]
    key: str
    amount_cents: int
    done: bool = False
    sent: int = 0
