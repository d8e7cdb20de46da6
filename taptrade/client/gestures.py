"""Place many bets under one signature over a line that may break: each once or not at all, and the player learns which.

The very same body is sent again until it is answered: its nonce counts once, and a repeat tells of each tap.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from runtime.clock import Clock
from taptrade.client import calls
from taptrade.client.delivery import BEFORE_NONCE, DECIDED_MS, SIGNATURE_GOOD_MS, Fate, refused_if_stored_so
from taptrade.client.problems import ApiError
from taptrade.client.steps import ENDED, PAUSE_S, Pause, Steps, insist, sent, wait_after
from taptrade.views import NOT_PLACED, BetView, SignedGesture, ToldTap

LOST = "no answer came, and the bet is not among the placed ones"
Fates = tuple[Fate, ...]


class GestureDelivery:
    """The steps that deliver signed gestures."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def place(self, signed: SignedGesture) -> Steps[Fates]:
        """Send one gesture until it is known what became of each tap; bets may be pending still."""
        good_until_ms, lost = self._clock.monotonic_ms() + SIGNATURE_GOOD_MS, False
        refused: ApiError | None = None
        while self._clock.monotonic_ms() < good_until_ms:
            try:
                return tuple(map(_fate, (yield from sent(calls.place_bets(signed))).taps))
            except httpx.TransportError as ex:
                lost |= not isinstance(ex, (httpx.ConnectError, httpx.ConnectTimeout))
                yield Pause(PAUSE_S, f"no answer ({type(ex).__name__}), asking again with the same nonce")
            except ApiError as ex:
                told = _replayed(ex)
                if told is not None:
                    return told
                if lost and ex.code in BEFORE_NONCE:
                    break
                refused = ex
                lost |= ex.code == "REPLAYED_NONCE" or _says_nothing(ex)
                if _is_final(ex):
                    return (Fate(None, ex.code, ex.detail, ex.arguments),) * len(signed.taps)
                yield from wait_after(ex)
        if refused is not None and not lost:
            return (Fate(None, refused.code, refused.detail, refused.arguments),) * len(signed.taps)
        return (yield from self._look_up(signed))

    def decided(self, fates: Sequence[Fate]) -> Steps[Fates]:
        """Ask for bets that are pending until each is committed, or certain never to be."""
        found: list[Fate] = []
        for each in fates:
            fate = each
            while fate.bet is not None and fate.bet.status == "pending":
                yield Pause(PAUSE_S, "a bet is pending")
                try:
                    fate = Fate((yield from insist(calls.bet(fate.bet.id), self._clock)).bet)
                except ApiError as ex:
                    if ex.code not in ("BET_NEVER_PLACED", "NOT_FOUND"):
                        raise
                    fate = Fate(None, "BET_NEVER_PLACED", ex.detail, ex.arguments)
            found.append(refused_if_stored_so(fate))
        return tuple(found)

    def _look_up(self, signed: SignedGesture) -> Steps[Fates]:
        """Find out, when the body can no longer be sent, which taps were placed: a cell takes one bet of a player."""
        yield Pause(DECIDED_MS / 1000, "waiting until the bets are decided, to look for them in the list")
        found: list[Fate] = []
        for tap in signed.taps:
            page = yield from insist(calls.bets(limit=1, cell_id=tap.cell_id), self._clock)
            bet = next((bet for bet in page.bets if bet.status not in NOT_PLACED), None)
            found.append(Fate(None, "BET_NEVER_PLACED", LOST) if bet is None else Fate(bet))
        return tuple(found)


def _is_final(ex: ApiError) -> bool:
    """Tell whether the same body would be refused again, whatever the wait."""
    passes = ex.code in (ENDED, "REPLAYED_NONCE") or ex.status == httpx.codes.TOO_MANY_REQUESTS
    return 400 <= ex.status < 500 and not passes


def _says_nothing(ex: ApiError) -> bool:
    """Tell whether the gesture may have been queued all the same: only 503 says for certain that it was not."""
    return ex.status < 400 or (ex.status >= 500 and ex.status != httpx.codes.SERVICE_UNAVAILABLE)


def _replayed(ex: ApiError) -> Fates | None:
    """Return what a repeat tells of each tap; None if it tells nothing yet."""
    taps = ex.taps if ex.code == "REPLAYED_NONCE" else ()
    told = tuple(map(_fate, taps))
    return told if told and any(tap.outcome != "unknown" for tap in taps) else None


def _fate(tap: ToldTap) -> Fate:
    if tap.refusal is not None:
        detail = str(tap.refusal.get("detail", ""))
        return Fate(None, str(tap.refusal.get("code", "")), detail, tap.refusal)
    if tap.bet is not None:
        return Fate(tap.bet)
    if tap.outcome == "pending":
        return Fate(BetView(tap.bet_id, "pending"))
    return Fate(None, "BET_NEVER_PLACED", "The bet was not placed.")
