"""A game whose session has ended signs in again, and its stream is never a stranger's meanwhile."""

from __future__ import annotations

import httpx
import msgspec

from runtime.clock import ManualClock
from taptrade.board import QuietBoard
from taptrade.client import ApiError, TapClient
from taptrade.client.steps import ENDED
from taptrade.play import Plan, Play
from taptrade.views import AccountView, LoginView
from taptrade.wallet import Audience

AUDIENCE = Audience("house.example", "http://house.example", 1)


def test_the_token_of_the_ended_session_is_kept_until_there_is_another(clock: ManualClock) -> None:
    shown: list[str] = []
    account = AccountView(id="01J0000000000000000000000A", wallet_address="0x" + 20 * "ab", balance=1_000)

    def answer(_request: httpx.Request) -> httpx.Response:
        shown.append(client.token)
        return httpx.Response(200, content=msgspec.json.encode(LoginView(f"session {len(shown)}", account)))

    def balance_cents(api: TapClient) -> int:
        if api.token == "session 1":
            raise ApiError(401, ENDED, "The session has ended.", {}, None)
        return account.balance

    client = TapClient("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    play = Play(client, Plan(bets=1, stake_cents=100, audience=AUDIENCE, seed=1), clock, QuietBoard())
    play.line.pause = lambda seconds: clock.advance(int(seconds * 1000))
    assert play.line.ask(balance_cents) == account.balance
    assert shown == ["", "session 1"]
    assert client.token == "session 2"
