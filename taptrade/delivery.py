"""Place one bet over a line that may break: it is placed once or not at all, and the player learns which.

A bet is signed once and that very body is sent again until its fate is known. The server places a nonce once, so a
repeat is answered with the bet that the lost answer was about. When the signature has become too old to be sent
again, the list of own bets tells: a cell takes one bet of a player, so the cell names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from runtime.clock import Clock
from taptrade.client import ApiError, TapClient
from taptrade.views import NOT_PLACED, BetView, SignedBet

OUTAGE_MS = 60_000
SIGNATURE_GOOD_MS = 25_000
"""Less than the server's 30 s: the last repeat has to arrive in time."""
DECIDED_MS = 12_000
"""A bet is decided 10 s after its receipt at the latest."""
PAUSE_S = 0.5
_TRY_AGAIN = frozenset({"PRICE_FEED_STALE", "OVERLOADED", "UNAVAILABLE", "RATE_LIMITED", "SIGNATURE_EXPIRED"})
"""The last is a login's: after a restart of Redis only what is signed from its second on counts, so sign again."""
_BEFORE_NONCE = frozenset({"SIGNATURE_EXPIRED", "CELL_CLOSED", "BET_EXPIRED"})
"""Refusals that come before the nonce is looked at: of a repeat, they do not say what became of the first request."""
_T = TypeVar("_T")


class PlayError(Exception):
    """The game cannot go on."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a tap: the bet that took the money, or why there is none."""

    bet: BetView | None
    code: str = ""
    detail: str = ""


class Line:
    """The way to the API through restarts: waits, asks again, logs in again."""

    def __init__(
        self, client: TapClient, clock: Clock, *, login: Callable[[], None], pause: Callable[[float], None]
    ) -> None:
        self.clock = clock
        self.pause = pause
        self._client = client
        self._login = login
        self._logged_in = False

    def ready(self) -> TapClient:
        """Return the client, after a login if there is no session."""
        if not self._logged_in:
            self._login()
            self._logged_in = True
        return self._client

    def ask(self, call: Callable[[TapClient], _T]) -> _T:
        """Repeat a call that changes nothing until it is answered; refusals that waiting cannot mend are raised."""
        give_up_ms = self.clock.monotonic_ms() + OUTAGE_MS
        while True:
            try:
                return call(self.ready())
            except httpx.TransportError as ex:
                wait_s, reason = PAUSE_S, f"{type(ex).__name__}: {ex}"
            except ApiError as ex:
                wait_s, reason = self.wait_for(ex), str(ex)
            if self.clock.monotonic_ms() > give_up_ms:
                raise PlayError(f"no answer from {self._client.url} for {OUTAGE_MS // 1000} s ({reason})")
            self.pause(wait_s)

    def wait_for(self, ex: ApiError) -> float:
        """Tell how long to wait before a repeat; raise `ex` where a repeat cannot help."""
        if ex.code == "UNAUTHENTICATED":
            self._logged_in = False
            return PAUSE_S
        # 502 and 504 are a proxy's: the API behind it is restarting.
        if ex.code in _TRY_AGAIN or ex.status in {502, 503, 504}:
            return ex.retry_after_s or PAUSE_S
        raise ex


class Delivery:
    """Send signed bets, each until its fate is known."""

    def __init__(self, line: Line, *, on_wait: Callable[[str], None]) -> None:
        self.repeats = 0
        """How often a bet was sent again because an answer about it was lost."""
        self.refusals: Counter[str] = Counter()
        """Refusals by code after which the same bet was sent again."""
        self._line = line
        self._on_wait = on_wait
        self._known: set[str] = set()
        self._lost = False
        """Whether an answer about the bet under way was ever lost."""
        self._unanswered = False
        """Whether that of its last sending was."""

    def place(self, signed: SignedBet) -> Fate:
        """Send one bet; a repeat goes with the same nonce, so it cannot be placed twice."""
        clock = self._line.clock
        good_until_ms = clock.monotonic_ms() + SIGNATURE_GOOD_MS
        self._lost = False
        answer = self._send(signed)
        while answer is None and clock.monotonic_ms() < good_until_ms:
            self.repeats += self._unanswered
            answer = self._send(signed)
        if answer is None:
            answer = self._look_up(signed)
        if answer.bet is not None:
            self._known.add(answer.bet.id)
            if answer.bet.status in NOT_PLACED:
                answer = Fate(None, answer.bet.refusal_code or answer.bet.status)
        return answer

    def _send(self, signed: SignedBet) -> Fate | None:
        self._unanswered = False
        try:
            return Fate(self._line.ready().place_bet(signed).bet)
        except httpx.TransportError as ex:
            # Without a connection nothing was sent, and no answer can be lost.
            self._unanswered = not isinstance(ex, (httpx.ConnectError, httpx.ConnectTimeout))
            self._lost |= self._unanswered
            self._on_wait(f"no answer ({type(ex).__name__}), asking again with the same nonce")
            self._line.pause(PAUSE_S)
        except ApiError as ex:
            return self._read_refusal(ex, signed)
        return None

    def _read_refusal(self, ex: ApiError, signed: SignedBet) -> Fate | None:
        """Read a refusal: None means that the same body is to be sent again."""
        if ex.code == "REPLAYED_NONCE":
            if ex.bet is not None or ex.arguments.get("outcome") == "never_placed":
                return Fate(ex.bet, "BET_NEVER_PLACED", ex.detail)
            self._unanswered = True
            self._line.pause(PAUSE_S)
            return None
        if ex.code == "DUPLICATE_BET" and self._lost and ex.bet is not None and ex.bet.id not in self._known:
            return Fate(ex.bet)
        if ex.code in _BEFORE_NONCE and self._lost:
            return self._look_up(signed)
        refused = 400 <= ex.status < 500
        if refused and ex.status != httpx.codes.TOO_MANY_REQUESTS and ex.code != "UNAUTHENTICATED":
            return Fate(None, ex.code, ex.detail)
        if not refused and ex.status != httpx.codes.SERVICE_UNAVAILABLE:
            # Only 503 says for certain that nothing was queued; a proxy does not know, and success may be unreadable.
            self._lost = self._unanswered = True
        else:
            self.refusals[ex.code] += 1
        self._on_wait(f"{ex.code}: {ex.detail}")
        self._line.pause(self._line.wait_for(ex))
        return None

    def _look_up(self, signed: SignedBet) -> Fate:
        """Find out, when the body can no longer be sent, whether one of the repeats was placed."""
        self._line.pause(DECIDED_MS / 1000)
        page = self._line.ask(lambda client: client.bets(limit=100))
        for bet in page.bets:
            if bet.cell_id == signed.cell_id and bet.id not in self._known:
                return Fate(bet)
        return Fate(None, "BET_NEVER_PLACED", "no answer came, and the bet is not among the placed ones")
