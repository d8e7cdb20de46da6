"""Players who send from many threads at once, over connections that any of the API's processes may take."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import msgspec

from runtime.clock import SystemClock
from taptrade.choice import offers
from taptrade.client import ApiError, TapClient
from taptrade.views import LoginView, SignedBet
from taptrade.wallet import Wallet, new_wallet, sign_bet, sign_login, sign_withdrawal
from tests.acceptance.system import System
from tests.waiting import wait_until

CLOCK = SystemClock()
NOT_NOW = frozenset({"PRICE_FEED_STALE", "RATE_MOVED", "CELL_NOT_OFFERED", "CELL_CLOSED"})
"""What may become of any bet because the market moved on since the grid was read: the player tries another."""


class Player:
    """A signed-in player with a session key, whose requests can be sent by many threads at once."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.wallet, self.key = new_wallet(), new_wallet()
        with system.client() as client:
            login = wait_until(lambda: self._log_in(client), what="the end of the second in which Redis came up")
        assert login is not None
        self.token, self.user_id = login.token, login.user.id

    def _log_in(self, client: TapClient) -> LoginView | None:
        signed = sign_login(self.wallet, self.key.address, self.system.audience, CLOCK.now_ms())
        try:
            return client.login(signed)
        except ApiError as ex:
            if ex.code == "SIGNATURE_EXPIRED":
                return None
            raise

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send one request over a connection of its own, which any of the API's processes may take."""
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else msgspec.json.encode(body)
        url = self.system.url + path
        return httpx.request(method, url, content=content, headers=given, trust_env=False, timeout=30)

    def signed_bets(self, count: int, signer: Wallet | None = None) -> list[SignedBet]:
        """Sign bets on so many cells that are offered now."""

        def once() -> list[SignedBet]:
            with TapClient(self.system.url) as client:
                grid, now_ms = client.grid(), CLOCK.now_ms()
            found = offers(grid, now_ms + 2_000, columns=len(grid.columns))[:count]
            chain = self.system.audience.chain_id
            signed = [
                sign_bet(
                    signer or self.key, one.cell_id, amount_cents=100, min_rate_bp=10_000, chain_id=chain, now_ms=now_ms
                )
                for one in found
            ]
            return signed if len(signed) == count else []

        return wait_until(once, 20, what=f"{count} cells that are offered")

    def withdraw(self, cents: int, **headers: str) -> httpx.Response:
        """Take money out."""
        body = sign_withdrawal(self.wallet, cents, self.system.audience.chain_id, CLOCK.now_ms())
        return self.send("POST", "/api/withdrawals", body, **headers)

    @property
    def balance(self) -> int:
        """What the account holds."""
        return int(self.send("GET", "/api/me").json()["user"]["balance"])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Read rows of this player's."""
        with self.system.database() as database:
            return database.execute(sql, (self.user_id,))


def at_once(works: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Do all at the same moment."""
    barrier = Barrier(len(works))

    def wait_and_do(work: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(wait_and_do, works))


def code_of(answer: httpx.Response) -> str:
    """Return the code of a refusal, the status of anything else."""
    return str(answer.json()["code"]) if answer.status_code >= 400 else str(answer.status_code)
