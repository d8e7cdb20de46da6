"""Who bets over HTTP, by the Python client, so that there is a bet whose page can be opened."""

from __future__ import annotations

from random import Random
from typing import Self

from playwright.sync_api import BrowserContext

from runtime.auth.credentials import COOKIE
from runtime.clock import SystemClock
from taptrade.choice import Chooser
from taptrade.client import ApiError, TapClient
from taptrade.views import SETTLED, BetView
from taptrade.wallet import Audience, new_wallet, sign_bet, sign_login
from tests.waiting import wait_until

BUSY = frozenset({"OVERLOADED", "UNAVAILABLE"})
"""What a house may say for a moment while browsers take the whole machine."""
PASSING = BUSY | {"PRICE_FEED_STALE", "RATE_MOVED", "CELL_NOT_OFFERED", "CELL_CLOSED"}
STAKE_CENTS = 100
SETTLED_S_MAX = 60


class Punter:
    """A wallet with a session key, signed in at a house."""

    def __init__(self, url: str, audience: Audience) -> None:
        self.client = TapClient(url)
        self._audience = audience
        self._key = new_wallet()
        self._chooser = Chooser(Random(7))
        self._clock = SystemClock()
        self.wallet = new_wallet()
        wait_until(self._login, what="a sign-in that is taken")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def bet(self) -> BetView:
        """Tap until a bet is placed."""
        bet = wait_until(self._tap, what="a bet that is taken")
        assert bet is not None
        return bet

    def settled_bet(self) -> BetView:
        """Tap, and wait for the result."""
        bet_id = self.bet().id
        bet = wait_until(lambda: self._settled(bet_id), SETTLED_S_MAX, every_s=0.2, what="the result")
        assert bet is not None
        return bet

    def sign_in(self, context: BrowserContext) -> None:
        """Give a browser the session's cookie."""
        context.add_cookies([{"name": COOKIE, "value": self.client.token, "url": self.client.url}])

    def _login(self) -> bool:
        try:
            self.client.login(sign_login(self.wallet, self._key.address, self._audience, self._clock.now_ms()))
        except ApiError as ex:
            if ex.code not in BUSY:
                raise
            return False
        return True

    def _tap(self) -> BetView | None:
        now_ms = self._clock.now_ms()
        offer = self._chooser.choose(self.client.grid(), now_ms)
        if offer is None:
            return None
        signed = sign_bet(
            self._key,
            offer.cell_id,
            amount_cents=STAKE_CENTS,
            min_rate_bp=offer.min_rate_bp,
            chain_id=self._audience.chain_id,
            now_ms=now_ms,
        )
        try:
            return self.client.place_bet(signed).bet
        except ApiError as ex:
            if ex.code not in PASSING:
                raise
            return None

    def _settled(self, bet_id: str) -> BetView | None:
        bet = self.client.bet(bet_id).bet
        return bet if bet.status in SETTLED else None
