"""An account over a line that breaks, blocking and awaited: what is sent again, what is signed anew, what is raised."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from runtime.clock import ManualClock
from taptrade.client import Account, ApiError, AsyncAccount, Fate, NoAnswerError, StreamEvent
from taptrade.wallet import new_wallet

URL = "http://127.0.0.1:1"
LOST = httpx.ReadTimeout("no answer")
BET = {"id": "01B", "cell_id": "10_0_500", "amount": 100, "status": "confirmed", "reward_rate": 20_000}
PENDING = {"id": "01B", "status": "pending", "cell_id": "10_0_500", "amount": 100}
USER = {"id": "u", "wallet_address": "0x", "balance": 5}
AHEAD_MS = 100_000
RULES = {
    "mode": "demo",
    "chain_ids": [7],
    "domains": ["other.example"],
    "presets_cents": [100],
    "column_seconds": 5,
    "fill_delay_ms": 0,
}
PLACED = {"bet": BET, "balance": 900}
WITHDRAWN = {"withdrawal": {"id": "2", "amount": 1, "to_address": "0x", "status": "pending"}, "balance": 0}
Step = httpx.Response | Exception


def ok(content: dict[str, Any], status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=content)


def problem(status: int, code: str, **arguments: Any) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "detail": "because", **arguments})


@pytest.fixture(params=["blocking", "awaited"])
def scene(request: pytest.FixtureRequest, clock: ManualClock) -> Scene:
    return Scene(clock, awaited=request.param == "awaited")


class Scene:
    """A server that answers each path from its list, the last answer for ever, and an account of either kind."""

    def __init__(self, clock: ManualClock, *, awaited: bool) -> None:
        self.clock = clock
        self.awaited = awaited
        self.bodies: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.answers: dict[str, list[Step]] = {"/api/rules": [ok(RULES)]}

    def play(self, act: Callable[[Any], Any], **answers: list[Step]) -> Any:
        """Sign in, and let an account do something; its answer, and what it raises, are returned and raised."""
        self.answers["/api/auth/login"] = answers.pop("login", [self._session()])
        self.answers |= {f"/api/{name.replace('__', '/')}": given for name, given in answers.items()}
        transport = httpx.MockTransport(self._answer)
        if not self.awaited:
            with Account(URL, new_wallet(), transport=transport, pause=self._pause, clock=self.clock) as account:
                return act(account)
        return asyncio.run(self._play(act, transport))

    async def _play(self, act: Callable[[Any], Any], transport: httpx.MockTransport) -> Any:
        async def pause(seconds: float) -> None:
            self._pause(seconds)

        async with AsyncAccount(URL, new_wallet(), transport=transport, pause=pause, clock=self.clock) as account:
            return await act(account)

    def _session(self) -> httpx.Response:
        return ok({"token": "t", "user": USER})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests.append(request)
        if request.content:
            self.bodies.setdefault(path, []).append(msgspec.json.decode(request.content))
        if path == "/api/time":
            return ok({"server_time_ms": self.clock.now_ms() + AHEAD_MS})
        given = self.answers[path]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(int(seconds * 1000))


def place(account: Any) -> Any:
    return account.place("10_0_500", stake_cents=100, min_rate_bp=19_000)


def test_a_lost_login_is_signed_anew_for_the_address_and_by_the_servers_time(scene: Scene) -> None:
    login: list[Step] = [LOST, problem(503, "OVERLOADED"), ok({"token": "t", "user": USER})]
    scene.play(lambda account: account.bet("01B"), login=login, bets__01B=[ok({"bet": BET})])
    messages = [body["message"] for body in scene.bodies["/api/auth/login"]]
    assert len(set(messages)) == 3
    # Not for the domain that the server names: it may be somebody else's house.
    assert all(message.startswith("127.0.0.1:1 wants you") and "Chain ID: 7" in message for message in messages)
    assert scene.requests[-1].headers["Authorization"] == "Bearer t"


def test_a_bet_is_signed_by_the_servers_time_and_a_lost_answer_brings_it(scene: Scene) -> None:
    fate = scene.play(place, bets=[LOST, problem(503, "OVERLOADED"), problem(409, "REPLAYED_NONCE", bet=BET)])
    assert fate.bet.id == "01B"
    first, *repeats = scene.bodies["/api/bets"]
    assert repeats == [first, first]
    assert abs(first["timestamp"] * 1000 - scene.clock.now_ms() - AHEAD_MS) < 5_000


def test_own_limits_are_set_until_that_is_answered_and_what_is_not_named_stays(scene: Scene) -> None:
    limits = {"limits": {"stake_max_cents": 500}, "pending": None, "stake_day_used_cents": None}
    used = {"loss_day_used_cents": -5, "deposit_day_used_cents": 0, "deposit_week_used_cents": 1}
    told = scene.play(lambda account: account.set_limits(stake_max_cents=500), me__limits=[LOST, ok(limits | used)])
    assert (told.limits.stake_max_cents, told.limits.loss_day_max_cents, told.deposit_week_used_cents) == (500, None, 1)
    assert scene.bodies["/api/me/limits"] == [{"stake_max_cents": 500}] * 2


def test_an_ended_session_is_renewed_and_the_same_body_sent(scene: Scene) -> None:
    fate = scene.play(place, bets=[problem(401, "UNAUTHENTICATED"), ok(PLACED, 201)])
    assert fate == Fate(fate.bet)
    assert (len(scene.bodies["/api/auth/login"]), scene.bodies["/api/bets"][0]) == (2, scene.bodies["/api/bets"][1])


def test_a_session_that_ends_each_time_is_not_renewed_for_ever(scene: Scene) -> None:
    with pytest.raises(NoAnswerError, match="UNAUTHENTICATED"):
        scene.play(lambda account: account.bet("01B"), bets__01B=[problem(401, "UNAUTHENTICATED")])
    assert len(scene.bodies["/api/auth/login"]) < 20


def test_a_signature_that_is_too_old_is_made_anew_by_the_time_that_the_refusal_tells(scene: Scene) -> None:
    told_ms = scene.clock.now_ms() + 500_000
    expired = problem(401, "SIGNATURE_EXPIRED", server_time_ms=told_ms)
    assert scene.play(place, bets=[expired, ok(PLACED, 201)]).bet.id == "01B"
    first, second = scene.bodies["/api/bets"]
    assert first["nonce"] != second["nonce"]
    assert second["timestamp"] == told_ms // 1000


def test_a_pending_bet_is_asked_for_until_it_is_decided(scene: Scene) -> None:
    bets: list[Step] = [ok({"bet": PENDING, "balance": None}, 202)]
    decided: list[Step] = [ok({"bet": PENDING}), LOST, ok({"bet": BET})]
    assert scene.play(place, bets=bets, bets__01B=decided).bet.status == "confirmed"


def test_a_pending_bet_that_was_lost_is_none(scene: Scene) -> None:
    bets: list[Step] = [ok({"bet": PENDING, "balance": None}, 202)]
    fate = scene.play(place, bets=bets, bets__01B=[problem(404, "BET_NEVER_PLACED")])
    assert (fate.bet, fate.code) == (None, "BET_NEVER_PLACED")


def test_a_refusal_that_is_found_by_asking_has_code_and_sentence(scene: Scene) -> None:
    refused = BET | {"status": "refused", "refusal_code": "RATE_MOVED", "refusal_detail": "It fell."}
    pending: list[Step] = [ok({"bet": PENDING, "balance": None}, 202)]
    assert scene.play(place, bets=pending, bets__01B=[ok({"bet": refused})]) == Fate(None, "RATE_MOVED", "It fell.")
    replayed: list[Step] = [LOST, problem(409, "REPLAYED_NONCE", bet=refused)]
    assert scene.play(place, bets=replayed) == Fate(None, "RATE_MOVED", "It fell.")


def test_what_was_refused_each_time_is_told_and_not_looked_for(scene: Scene) -> None:
    busy = httpx.Response(429, json={"code": "RATE_LIMITED", "detail": "because"}, headers={"Retry-After": "40"})
    assert scene.play(place, bets=[busy]).code == "RATE_LIMITED"
    assert [request.method for request in scene.requests if request.url.path == "/api/bets"] == ["POST"]
    assert scene.waits == [40.0]


def test_money_is_moved_under_one_key_and_one_body(scene: Scene) -> None:
    replayed = problem(409, "REPLAYED_NONCE")
    scene.play(lambda account: account.withdraw(1, "key"), withdrawals=[LOST, replayed, ok(WITHDRAWN, 201)])
    first, *repeats = scene.bodies["/api/withdrawals"]
    assert repeats == [first, first]
    keys = {request.headers.get("Idempotency-Key") for request in scene.requests if "withdrawals" in request.url.path}
    assert keys == {"key"}


def test_what_no_waiting_mends_is_raised_at_once(scene: Scene) -> None:
    with pytest.raises(ApiError, match="DEPOSIT_LIMIT"):
        scene.play(lambda account: account.deposit(1, "key"), deposits=[LOST, problem(403, "DEPOSIT_LIMIT")])
    assert len(scene.bodies["/api/deposits"]) == 2


def test_an_outage_ends_with_a_sentence(scene: Scene) -> None:
    with pytest.raises(NoAnswerError, match=r"for 60 s \(ConnectError at http://127.0.0.1:1/api/ledger: down\)"):
        scene.play(lambda account: account.statement(), ledger=[httpx.ConnectError("down")])
    assert 60 < sum(scene.waits) < 80


def test_the_stream_goes_on_in_a_new_session(scene: Scene) -> None:
    def stream(name: str) -> httpx.Response:
        return httpx.Response(200, content=f"retry: 1\nid: {name}\nevent: bet\ndata: {name}\n\n".encode())

    def first_two(account: Any) -> Any:
        events = account.events(["bet"])
        return [next(events), next(events)] if isinstance(account, Account) else taken(events)

    async def taken(events: Any) -> list[StreamEvent]:
        found = [await anext(events), await anext(events)]
        await events.aclose()
        return found

    answers: list[Step] = [stream("1"), problem(401, "UNAUTHENTICATED"), stream("2")]
    assert [event.id for event in scene.play(first_two, stream=answers)] == ["1", "2"]
    asked = [request for request in scene.requests if request.url.path == "/api/stream"]
    assert [request.headers.get("Last-Event-ID") for request in asked] == [None, "1", "1"]
    assert {request.url.query for request in asked} == {b"events=bet&grid=changes"}
    assert len(scene.bodies["/api/auth/login"]) == 2
