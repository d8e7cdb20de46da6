"""An honest player beside an attack: taps and looks on all the time, and notes what is answered and how soon."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from threading import Event, Thread

import httpx

from runtime.clock import SystemClock
from taptrade.choice import Chooser
from taptrade.client import ApiError, TapClient
from taptrade.views import PlacedView
from taptrade.wallet import Wallet, new_wallet, sign_bet, sign_login
from tests.acceptance.crowd import NOT_NOW
from tests.acceptance.system import System
from tests.waiting import wait_until

CLOCK = SystemClock()
PAUSE_S = 0.05
FINE = "fine"
"""What was asked for was given, or the market has moved on."""


def outcome(call: Callable[[], object]) -> tuple[str, float]:
    """Make a call; return what it was answered with, and after how many seconds."""
    began_s = time.monotonic()
    try:
        call()
        code = FINE
    except ApiError as ex:
        code = ex.code
    except httpx.TransportError as ex:
        code = type(ex).__name__
    return code, time.monotonic() - began_s


class Honest:
    """A player, from this machine's own address unless it comes with the session of another."""

    def __init__(self, system: System, token: str = "") -> None:
        self.client = TapClient(system.url, token=token)
        self.codes: Counter[str] = Counter()
        self.seconds: list[float] = []
        """How long each answer took."""
        self._audience = system.audience
        self._wallet, self._key = new_wallet(), new_wallet()
        self._chooser = Chooser(Random(1))
        self._stopping = Event()

    @contextmanager
    def at_play(self) -> Iterator[Honest]:
        """Log in, and play during the block."""
        try:
            # Under load a system that has just come up takes its time.
            wait_until(self._log_in, 60, every_s=0.5, what="a login")
            self.codes.clear()
            thread = Thread(target=self._play, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self._stopping.set()
                thread.join()
        finally:
            self.client.close()

    def tap(self, signer: Wallet | None = None) -> PlacedView | None:
        """Tap a cell that is offered; None if there is none, or if the market has moved on."""
        grid, now_ms = self.client.grid(), CLOCK.now_ms()
        offer = self._chooser.choose(grid, now_ms)
        if offer is None:
            return None
        signed = sign_bet(
            signer or self._key,
            offer.cell_id,
            amount_cents=100,
            min_rate_bp=offer.min_rate_bp,
            chain_id=self._audience.chain_id,
            now_ms=now_ms,
        )
        try:
            return self.client.place_bet(signed)
        except ApiError as ex:
            if ex.code in NOT_NOW:
                return None
            raise

    def _log_in(self) -> bool:
        signed = sign_login(self._wallet, self._key.address, self._audience, CLOCK.now_ms())
        return self._note(lambda: self.client.login(signed)) == FINE

    def _play(self) -> None:
        while not self._stopping.wait(PAUSE_S):
            self._note(self.client.me)
            self._note(self.tap)

    def _note(self, call: Callable[[], object]) -> str:
        code, seconds = outcome(call)
        self.seconds.append(seconds)
        self.codes[code] += 1
        return code
