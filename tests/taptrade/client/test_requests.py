"""The client: what it sends, and how it reads answers and refusals."""

from __future__ import annotations

import re

import httpx
import msgspec
import pytest

from taptrade.client import ApiError, AsyncTapClient, TapClient, may_use_proxy
from taptrade.views import SignedBet, SignedLogin, SignedWithdrawal

USER = {"id": "01U", "wallet_address": "0xAB", "balance": 5}
BET = {"id": "01B", "cell_id": "10_0_500", "amount": 100, "status": "confirmed", "reward_rate": 20_000}
SIGNED_BET = SignedBet("10_0_500", 100, 19_000, "n" * 32, 1, "0x00")


class Server:
    """Answers one response after the other and keeps the requests."""

    def __init__(self, *responses: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._responses = iter(responses)

    def client(self, token: str = "") -> TapClient:
        return TapClient("http://127.0.0.1:1/", token=token, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return next(self._responses)


def problem(status: int, code: str, *, after: str = "", **arguments: object) -> httpx.Response:
    headers = {"Retry-After": after} if after else {}
    return httpx.Response(status, json={"code": code, "detail": "because", **arguments}, headers=headers)


def test_a_login_is_used_by_later_calls_until_the_logout() -> None:
    server = Server(
        httpx.Response(
            200,
            json={"token": "t1", "expires_at": "", "user": USER},
            headers={"Set-Cookie": "taptrade_session=t1; HttpOnly; SameSite=Strict; Path=/"},
        ),
        httpx.Response(200, json={"user": USER, "limits": {}, "session": {}}),
        httpx.Response(204),
        problem(401, "UNAUTHENTICATED"),
    )
    with server.client() as client:
        assert client.login(SignedLogin("text", "0x")).token == "t1"
        assert client.me().user.balance == 5
        client.logout()
        with pytest.raises(ApiError):
            client.me()
    assert [request.headers.get("Authorization") for request in server.requests] == [
        None,
        "Bearer t1",
        "Bearer t1",
        None,
    ]
    assert not any("Cookie" in request.headers for request in server.requests)


def test_a_tap_sends_the_signed_body_and_reads_bet_and_balance() -> None:
    server = Server(httpx.Response(201, json={"bet": BET, "balance": 900}))
    placed = server.client("t").place_bet(SIGNED_BET)
    assert (placed.bet.id, placed.bet.reward_rate, placed.balance) == ("01B", 20_000, 900)
    assert msgspec.json.decode(server.requests[0].content, type=SignedBet) == SIGNED_BET
    assert "Prefer" not in server.requests[0].headers


def test_a_tap_that_does_not_wait_says_so_and_reads_the_pending_bet() -> None:
    pending = {"id": "01B", "status": "pending", "decided_by_ms": 77}
    server = Server(httpx.Response(202, json={"bet": pending, "balance": None}))
    placed = server.client("t").place_bet(SIGNED_BET, wait=False)
    assert (placed.bet.status, placed.bet.decided_by_ms, placed.balance) == ("pending", 77, None)
    assert server.requests[0].headers["Prefer"] == "respond-async"


def test_a_refusal_is_one_typed_exception() -> None:
    server = Server(problem(503, "PRICE_FEED_STALE", after="5", retryable=True))
    with pytest.raises(ApiError) as caught:
        server.client("t").place_bet(SIGNED_BET)
    ex = caught.value
    assert (ex.status, ex.code, ex.detail, ex.retry_after_s) == (503, "PRICE_FEED_STALE", "because", 5.0)
    assert ex.arguments["retryable"] is True
    assert ex.bet is None


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"{}", bytes(range(256)), b'{"bet": 5}', "{}".encode("utf-16")]
)
def test_an_answer_that_is_not_ours_is_told_as_one(content: bytes) -> None:
    with (
        Server(httpx.Response(200, content=content)).client() as client,
        pytest.raises(ApiError, match="/api/me answers otherwise than taptrade does: ") as told,
    ):
        client.me()
    assert (told.value.status, told.value.code) == (200, "HTTP_200")


def test_an_answer_that_cannot_be_unpacked_is_a_lost_one() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"no gzip"), headers={"Content-Encoding": "gzip"})

    client = TapClient("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    with pytest.raises(httpx.TransportError, match="cannot be unpacked"):
        client.me()


def test_a_replayed_nonce_brings_the_bet() -> None:
    server = Server(problem(409, "REPLAYED_NONCE", bet=BET), problem(409, "REPLAYED_NONCE", bet=None))
    client = server.client("t")
    with pytest.raises(ApiError) as caught:
        client.place_bet(SIGNED_BET)
    assert caught.value.bet is not None
    assert caught.value.bet.id == "01B"
    with pytest.raises(ApiError) as caught:
        client.place_bet(SIGNED_BET)
    assert caught.value.bet is None


def test_a_page_that_is_no_problem_keeps_its_status() -> None:
    server = Server(httpx.Response(502, text="<html>Bad Gateway</html>", headers={"Retry-After": "soon"}))
    with pytest.raises(ApiError) as caught:
        server.client().grid()
    assert (caught.value.code, caught.value.retry_after_s) == ("HTTP_502", None)


def test_a_statement_goes_through_all_pages() -> None:
    entry = {"amount": 1, "balance_after": 1, "ref_type": "DEPOSIT", "ref_id": "r"}
    server = Server(
        httpx.Response(200, json={"entries": [{"id": "3", **entry}, {"id": "2", **entry}], "next_cursor": "c/2"}),
        httpx.Response(200, json={"entries": [{"id": "1", **entry}], "next_cursor": None}),
    )
    assert [row.id for row in server.client("t").statement()] == ["3", "2", "1"]
    assert [dict(request.url.params).get("cursor") for request in server.requests] == [None, "c/2"]


def test_all_bets_go_through_all_pages() -> None:
    server = Server(
        httpx.Response(200, json={"bets": [BET], "next_cursor": "x"}),
        httpx.Response(200, json={"bets": [], "next_cursor": "y"}),
        httpx.Response(200, json={"bets": [BET], "next_cursor": None}),
    )
    assert len(list(server.client("t").all_bets())) == 2


def test_money_from_and_to_outside_carries_its_idempotency_key() -> None:
    moved = {"ledger_id": "1", "amount": 500, "balance": 500, "reference": "1"}
    withdrawal = {"id": "2", "amount": 500, "to_address": "0x", "status": "pending"}
    server = Server(httpx.Response(201, json=moved), httpx.Response(201, json={"withdrawal": withdrawal, "balance": 0}))
    client = server.client("t")
    assert client.deposit(500, "k1").balance == 500
    assert client.withdraw(SignedWithdrawal(500, "n" * 8, 1, "0x"), "k2").withdrawal.status == "pending"
    assert [request.headers["Idempotency-Key"] for request in server.requests] == ["k1", "k2"]
    assert [request.url.path for request in server.requests] == ["/api/deposits", "/api/withdrawals"]


@pytest.mark.parametrize(
    ("url", "may"),
    [("http://127.0.0.1:8000", False), ("http://localhost", False), ("http://[::1]:1", False), ("https://x.y", True)],
)
def test_no_proxy_stands_before_our_own_loopback(url: str, may: bool) -> None:
    assert may_use_proxy(url) is may


@pytest.mark.parametrize("client", [TapClient, AsyncTapClient])
@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://house", "http://", "http://house/api", "http://house/api/"]
)
def test_what_is_no_address_is_refused_at_once_and_named(client: type[TapClient], url: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(url))):
        client(url)


def test_a_refusal_of_a_field_names_it() -> None:
    server = Server(problem(400, "INVALID_REQUEST", field="amount"))
    with pytest.raises(ApiError, match="400 INVALID_REQUEST: amount: because"):
        server.client("t").deposit(0, "k")
