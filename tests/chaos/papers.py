"""What was signed before Redis lost everything: a session, a login and a bet, none of which may count afterwards."""

from __future__ import annotations

import httpx

from runtime.clock import SystemClock
from taptrade.choice import Offer, offers
from taptrade.client import ApiError
from taptrade.views import SignedBet, SignedLogin
from taptrade.wallet import Wallet, new_wallet, sign_bet, sign_login
from tests.chaos.stage import Stage
from tests.waiting import wait_until

FAR_COLUMNS = 100


class OldPapers:
    """Made before the fault by a wallet of its own, which places no other bet."""

    def __init__(self, stage: Stage) -> None:
        self._audience = stage.system.audience
        self.wallet = new_wallet()
        self.client = stage.system.client()
        self.client.login(self._sign_login())
        self.login = self._sign_login()
        self.bet = self._sign_bet()

    def _sign_login(self) -> SignedLogin:
        return sign_login(self.wallet, None, self._audience, SystemClock().now_ms())

    def _sign_bet(self) -> SignedBet:
        """Sign a bet on the farthest column that is offered: it must still be open when Redis is back."""

        def find() -> Offer | None:
            grid = self.client.grid()
            found = offers(grid, grid.server_time_ms, columns=FAR_COLUMNS)
            return found[-1] if found else None

        offer = wait_until(find, what="an offered cell")
        assert offer is not None
        return signed_on(self.wallet, offer.cell_id, self._audience.chain_id)

    def must_be_refused(self, stage: Stage) -> None:
        """Show all three; a new login must work."""
        wait_until(lambda: self._session_is_gone, 10, what="the end of an old session")
        stage.expect(self._answer(lambda: self.client.login(self.login)) == "SIGNATURE_EXPIRED", "an old login counted")
        wait_until(lambda: self._answer(lambda: self.client.login(self._sign_login())) == "", 20, what="a new login")
        answer = wait_until(self._answer_to_bet, 10, what="a price by which bets are judged again")
        stage.expect(answer == "SIGNATURE_EXPIRED", f"an old bet was answered {answer}")
        self.client.close()

    def _answer_to_bet(self) -> str:
        """Show the bet; empty while no bet at all is taken, since guards come before signatures."""
        answer = self._answer(lambda: self.client.place_bet(self.bet))
        return "" if answer == "PRICE_FEED_STALE" else answer or "as placed"

    @property
    def _session_is_gone(self) -> bool:
        return self._answer(self.client.me) == "UNAUTHENTICATED"

    @staticmethod
    def _answer(call: object) -> str:
        """Return the code of a refusal, empty if there was none."""
        assert callable(call)
        try:
            call()
        except ApiError as ex:
            return ex.code
        except httpx.TransportError as ex:
            return type(ex).__name__
        return ""


def signed_on(wallet: Wallet, cell_id: str, chain_id: int) -> SignedBet:
    """Sign a small bet with the wallet itself."""
    now_ms = SystemClock().now_ms()
    return sign_bet(wallet, cell_id, amount_cents=100, min_rate_bp=10_000, chain_id=chain_id, now_ms=now_ms)
