"""The player's way to the API: the steps of `taptrade.client`, carried out while the player hears the stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from runtime.clock import Clock
from taptrade.client import delivery
from taptrade.client.blocking import TapClient
from taptrade.client.calls import Call
from taptrade.client.delivery import Fate
from taptrade.client.problems import ApiError, NoAnswerError
from taptrade.client.steps import ENDED, OUTAGE_MS, PAUSE_S, Pause, SignIn, Steps, carry_out, delay_s
from taptrade.views import SignedBet

_T = TypeVar("_T")


class PlayError(Exception):
    """The game cannot go on."""


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
                wait_s, reason = self._wait_for(ex), str(ex)
            if self.clock.monotonic_ms() > give_up_ms:
                raise PlayError(f"no answer from {self._client.url} for {OUTAGE_MS // 1000} s ({reason})")
            self.pause(wait_s)

    def run(self, steps: Steps[_T], on_wait: Callable[[str], None]) -> _T:
        """Carry steps out; raise PlayError when nothing answers any more."""
        try:
            return carry_out(steps, lambda step: self._do(step, on_wait))
        except NoAnswerError as ex:
            raise PlayError(f"{self._client.url}: {ex}") from ex

    def _do(self, step: Call[Any] | Pause | SignIn, on_wait: Callable[[str], None]) -> object:
        match step:
            case Call():
                return self.ready().send(step)
            case SignIn():
                self._logged_in = False
            case Pause():
                on_wait(step.why)
                self.pause(step.seconds)
        return None

    def _wait_for(self, ex: ApiError) -> float:
        """Tell how long to wait before a repeat; raise `ex` where a repeat cannot help."""
        if ex.code == ENDED:
            self._logged_in = False
            return PAUSE_S
        # A login's: after a restart of Redis only what is signed from its second on counts, so it is signed again.
        again_s = PAUSE_S if ex.code == "SIGNATURE_EXPIRED" else delay_s(ex)
        if again_s is None:
            raise ex
        return again_s


class Delivery(delivery.Delivery):
    """Send signed bets, each until its fate is known."""

    def __init__(self, line: Line, *, on_wait: Callable[[str], None]) -> None:
        super().__init__(line.clock)
        self._line = line
        self._on_wait = on_wait

    def deliver(self, signed: SignedBet) -> Fate:
        """Send one bet; a repeat goes with the same nonce, so it cannot be placed twice."""
        return self._line.run(self.place(signed), self._on_wait)
