"""Place one bet over a line that may break: it is placed once or not at all, and the player learns which.

A bet is signed once and that very body is sent again until its fate is known. The server places a nonce once, so a
repeat is answered with the bet that the lost answer was about. When the signature has become too old to be sent
again, the list of own bets tells: a cell takes one bet of a player, so the cell names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from runtime.clock import Clock
from runtime.error_codes import CODES
from taptrade.client import calls
from taptrade.client.problems import ApiError
from taptrade.client.steps import ENDED, PAUSE_S, Pause, Steps, insist, sent, wait_after
from taptrade.views import NOT_PLACED, BetView, SignedBet

SIGNATURE_GOOD_MS = 25_000
"""Less than the server's 30 s: the last repeat has to arrive in time."""
DECIDED_MS = 12_000
"""A bet is decided 10 s after its receipt at the latest."""
BEFORE_NONCE = frozenset({"SIGNATURE_EXPIRED", "CELL_CLOSED", "BET_EXPIRED"})
"""Refusals that come before the nonce is looked at: of a repeat, they do not say what became of the first request."""
ROWS = 100


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a tap: the bet that took the money, or why there is none; `extras` is what the refusal carries."""

    bet: BetView | None
    code: str = ""
    detail: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict, compare=False)


def refused_if_stored_so(fate: Fate) -> Fate:
    """Return why a stored bet took no money, if it is such a one."""
    if fate.bet is None or fate.bet.status not in NOT_PLACED:
        return fate
    code = fate.bet.refusal_code or fate.bet.status
    known = CODES.get(code)
    return Fate(None, code, fate.bet.refusal_detail or (known.meaning if known else ""))


@dataclass(slots=True)
class _Trial:
    """One bet under way: whether an answer about it was ever lost, and whether that of its last sending was."""

    signed: SignedBet
    lost: bool = False
    unanswered: bool = False
    refused: Fate | None = None
    """The last refusal after which it was sent again."""


class Delivery:
    """The steps that deliver signed bets, and what was met on the way."""

    def __init__(self, clock: Clock) -> None:
        self.repeats = 0
        """How often a bet was sent again because an answer about it was lost."""
        self.refusals: Counter[str] = Counter()
        """Refusals by code after which the same bet was sent again."""
        self._clock = clock
        self._known: set[str] = set()

    def place(self, signed: SignedBet) -> Steps[Fate]:
        """Send one bet; a repeat goes with the same nonce, so it cannot be placed twice."""
        good_until_ms = self._clock.monotonic_ms() + SIGNATURE_GOOD_MS
        trial = _Trial(signed)
        fate = yield from self._send(trial)
        while fate is None and self._clock.monotonic_ms() < good_until_ms:
            self.repeats += trial.unanswered
            fate = yield from self._send(trial)
        if fate is None:
            # What was certainly refused each time need not be looked for.
            fate = trial.refused if trial.refused and not trial.lost else (yield from self._look_up(signed))
        if fate.bet is not None:
            self._known.add(fate.bet.id)
        return refused_if_stored_so(fate)

    def decided(self, fate: Fate) -> Steps[Fate]:
        """Ask for a bet that is pending until it is committed, or certain never to be."""
        while fate.bet is not None and fate.bet.status == "pending":
            yield Pause(PAUSE_S, "the bet is pending")
            try:
                bet = (yield from insist(calls.bet(fate.bet.id), self._clock)).bet
            except ApiError as ex:
                if ex.code != "BET_NEVER_PLACED":
                    raise
                return Fate(None, ex.code, ex.detail, ex.arguments)
            fate = refused_if_stored_so(Fate(bet))
        return fate

    def _send(self, trial: _Trial) -> Steps[Fate | None]:
        trial.unanswered = False
        try:
            return Fate((yield from sent(calls.place_bet(trial.signed))).bet)
        except httpx.TransportError as ex:
            # Without a connection nothing was sent, and no answer can be lost.
            trial.unanswered = not isinstance(ex, (httpx.ConnectError, httpx.ConnectTimeout))
            trial.lost |= trial.unanswered
            yield Pause(PAUSE_S, f"no answer ({type(ex).__name__}), asking again with the same nonce")
        except ApiError as ex:
            return (yield from self._read_refusal(ex, trial))
        return None

    def _read_refusal(self, ex: ApiError, trial: _Trial) -> Steps[Fate | None]:
        """Read a refusal: None means that the same body is to be sent again."""
        refused = Fate(None, ex.code, ex.detail, ex.arguments)
        if ex.code == "REPLAYED_NONCE":
            if ex.bet is not None:
                return Fate(ex.bet)
            if ex.arguments.get("outcome") == "never_placed":
                return Fate(None, "BET_NEVER_PLACED", ex.detail, ex.arguments)
            trial.unanswered = True
            yield Pause(PAUSE_S, "the bet is not decided yet")
            return None
        if ex.code == "DUPLICATE_BET" and trial.lost and ex.bet is not None and ex.bet.id not in self._known:
            return Fate(ex.bet)
        if ex.code in BEFORE_NONCE and trial.lost:
            return (yield from self._look_up(trial.signed))
        if 400 <= ex.status < 500 and ex.status != httpx.codes.TOO_MANY_REQUESTS and ex.code != ENDED:
            return refused
        if ex.status < 400 or (ex.status >= 500 and ex.status != httpx.codes.SERVICE_UNAVAILABLE):
            # Only 503 says for certain that nothing was queued; a proxy does not know, and success may be unreadable.
            trial.lost = trial.unanswered = True
        else:
            self.refusals[ex.code] += 1
            trial.refused = refused
        yield from wait_after(ex)
        return None

    def _look_up(self, signed: SignedBet) -> Steps[Fate]:
        """Find out, when the body can no longer be sent, whether one of the repeats was placed."""
        yield Pause(DECIDED_MS / 1000, "waiting until the bet is decided, to look for it in the list")
        page = yield from insist(calls.bets(limit=ROWS, cell_id=signed.cell_id), self._clock)
        for bet in page.bets:
            if bet.cell_id == signed.cell_id and bet.id not in self._known:
                return Fate(bet)
        return Fate(None, "BET_NEVER_PLACED", "no answer came, and the bet is not among the placed ones")
