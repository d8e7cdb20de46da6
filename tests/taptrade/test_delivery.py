"""A bet over a line that breaks: placed once or not at all, and the player learns which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from runtime.clock import ManualClock
from runtime.error_codes import CODES
from taptrade.client import ApiError, TapClient
from taptrade.client.delivery import Fate
from taptrade.delivery import Delivery, Line, PlayError
from taptrade.views import SignedBet

SIGNED = SignedBet("10_0_500", 100, 19_000, "n" * 32, 1, "0x00")
BET = {"id": "01B", "cell_id": "10_0_500", "amount": 100, "status": "confirmed", "reward_rate": 20_000}
LOST = httpx.ReadTimeout("no answer")
OK = httpx.Response(201, json={"bet": BET, "balance": 900})


def problem(status: int, code: str, *, after: str = "", **arguments: Any) -> httpx.Response:
    headers = {"Retry-After": after} if after else {}
    return httpx.Response(status, json={"code": code, "detail": "because", **arguments}, headers=headers)


class Scene:
    """A server that answers from a list, a clock that only waiting moves, and a player's delivery."""

    def __init__(self, *answers: httpx.Response | Exception, clock: ManualClock) -> None:
        self.clock = clock
        self.logins = 0
        self.waits: list[float] = []
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self._answers = list(answers)
        client = TapClient("http://127.0.0.1:1", transport=httpx.MockTransport(self._answer))
        self.line = Line(client, clock, login=self._log_in, pause=self._pause)
        self.delivery = Delivery(self.line, on_wait=lambda _: None)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        self.bodies.append(request.content)
        # The last answer is given for ever.
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _log_in(self) -> None:
        self.logins += 1

    def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(int(seconds * 1000))


def test_an_unreadable_answer_is_never_taken_for_a_refusal(clock: ManualClock) -> None:
    scene = Scene(httpx.Response(201, content=b"<html>placed, perhaps</html>"), clock=clock)
    with pytest.raises(ApiError, match="answers otherwise"):
        scene.delivery.deliver(SIGNED)
    assert scene.delivery.refusals.total() == 0


def test_a_tap_is_answered_at_once(clock: ManualClock) -> None:
    scene = Scene(OK, clock=clock)
    answer = scene.delivery.deliver(SIGNED)
    assert answer.bet is not None
    assert (answer.bet.id, scene.delivery.repeats, scene.waits) == ("01B", 0, [])


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((LOST, OK), id="the first request did not arrive"),
        pytest.param((LOST, problem(409, "REPLAYED_NONCE", bet=BET)), id="only its answer was lost"),
        pytest.param(
            (
                LOST,
                problem(409, "REPLAYED_NONCE", bet=None, outcome="unknown"),
                problem(409, "REPLAYED_NONCE", bet=BET),
            ),
            id="it is not decided yet",
        ),
        pytest.param((LOST, problem(409, "DUPLICATE_BET", bet=BET)), id="the nonce was lost with Redis"),
        pytest.param((problem(502, ""), OK), id="a proxy before a restarting API"),
    ],
)
def test_a_lost_answer_is_asked_for_with_the_same_body(
    answers: tuple[httpx.Response | Exception, ...], clock: ManualClock
) -> None:
    scene = Scene(*answers, clock=clock)
    answer = scene.delivery.deliver(SIGNED)
    assert answer.bet is not None
    assert answer.bet.id == "01B"
    assert scene.delivery.repeats == len(answers) - 1
    assert {msgspec.json.decode(body)["nonce"] for body in scene.bodies} == {SIGNED.nonce}


def test_a_repeat_is_counted_for_what_it_follows(clock: ManualClock) -> None:
    stale = [problem(503, "PRICE_FEED_STALE")] * 6
    scene = Scene(LOST, httpx.ConnectError("down"), problem(401, "UNAUTHENTICATED"), *stale, OK, clock=clock)
    assert scene.delivery.deliver(SIGNED).bet is not None
    assert (scene.delivery.repeats, len(scene.bodies)) == (1, 10)
    assert scene.delivery.refusals == {"UNAUTHENTICATED": 1, "PRICE_FEED_STALE": 6}


def test_without_a_connection_no_answer_is_lost(clock: ManualClock) -> None:
    scene = Scene(httpx.ConnectError("down"), problem(409, "CELL_CLOSED"), clock=clock)
    assert scene.delivery.deliver(SIGNED) == Fate(None, "CELL_CLOSED", "because")
    assert (scene.delivery.repeats, len(scene.paths)) == (0, 2)


def test_a_refusal_after_which_the_bet_is_sent_again_is_no_lost_answer(clock: ManualClock) -> None:
    refusals = [problem(503, "PRICE_FEED_STALE"), problem(503, "OVERLOADED", after="1"), problem(429, "RATE_LIMITED")]
    scene = Scene(*refusals, problem(503, "PRICE_FEED_STALE"), problem(401, "UNAUTHENTICATED"), OK, clock=clock)
    assert scene.delivery.deliver(SIGNED).bet is not None
    assert scene.delivery.repeats == 0
    assert scene.delivery.refusals == {"PRICE_FEED_STALE": 2, "OVERLOADED": 1, "RATE_LIMITED": 1, "UNAUTHENTICATED": 1}


def test_only_what_follows_a_lost_answer_at_once_repeats_it(clock: ManualClock) -> None:
    scene = Scene(problem(503, "OVERLOADED"), LOST, problem(503, "OVERLOADED"), OK, clock=clock)
    assert scene.delivery.deliver(SIGNED).bet is not None
    assert (scene.delivery.repeats, scene.delivery.refusals) == (1, {"OVERLOADED": 2})


def test_a_renewed_session_is_logged_in_once(clock: ManualClock) -> None:
    scene = Scene(problem(401, "UNAUTHENTICATED"), OK, clock=clock)
    assert scene.delivery.deliver(SIGNED).bet is not None
    assert scene.logins == 2


@pytest.mark.parametrize("code", ["RATE_MOVED", "CELL_CLOSED", "BET_EXPIRED", "CELL_NOT_OFFERED", "EXPOSURE_LIMIT"])
def test_a_refusal_ends_the_tap(code: str, clock: ManualClock) -> None:
    scene = Scene(problem(409, code), clock=clock)
    assert scene.delivery.deliver(SIGNED) == Fate(None, code, "because")
    assert len(scene.paths) == 1


def test_another_bet_on_the_cell_is_not_taken_for_ours(clock: ManualClock) -> None:
    scene = Scene(OK, problem(409, "DUPLICATE_BET", bet=BET), LOST, problem(409, "DUPLICATE_BET", bet=BET), clock=clock)
    assert scene.delivery.deliver(SIGNED).bet is not None
    assert scene.delivery.deliver(SIGNED).code == "DUPLICATE_BET"
    assert scene.delivery.deliver(SIGNED).code == "DUPLICATE_BET"


def test_a_nonce_that_was_never_used_is_a_tap_without_bet(clock: ManualClock) -> None:
    scene = Scene(LOST, problem(409, "REPLAYED_NONCE", bet=None, outcome="never_placed"), clock=clock)
    assert scene.delivery.deliver(SIGNED) == Fate(None, "BET_NEVER_PLACED", "because")


def test_a_stored_refusal_is_no_bet(clock: ManualClock) -> None:
    refused = {**BET, "status": "refused", "refusal_code": "RATE_MOVED"}
    scene = Scene(LOST, problem(409, "REPLAYED_NONCE", bet=refused), clock=clock)
    assert scene.delivery.deliver(SIGNED) == Fate(None, "RATE_MOVED", CODES["RATE_MOVED"].meaning)


def test_the_wait_is_the_one_that_the_server_asks_for(clock: ManualClock) -> None:
    scene = Scene(problem(503, "PRICE_FEED_STALE", after="7"), OK, clock=clock)
    assert scene.delivery.deliver(SIGNED).bet is not None
    assert scene.waits == [7.0]


@pytest.mark.parametrize(
    ("bets", "found"),
    [
        pytest.param([{**BET, "id": "01A", "cell_id": "10_500_1000"}, BET], True, id="one repeat arrived"),
        pytest.param([{**BET, "id": "01A", "cell_id": "10_500_1000"}], False, id="none arrived"),
    ],
)
def test_a_bet_whose_signature_aged_is_looked_up(bets: list[dict[str, Any]], found: bool, clock: ManualClock) -> None:
    # 25 s of repeats every half second, then the list of bets.
    scene = Scene(*[LOST] * 50, httpx.Response(200, json={"bets": bets, "next_cursor": None}), clock=clock)
    answer = scene.delivery.deliver(SIGNED)
    assert (answer.bet is not None) is found
    assert scene.paths[-2:] == ["/api/bets", "/api/bets"]
    assert sum(scene.waits) > 30, "the last repeat may still be decided"


@pytest.mark.parametrize("lost", [pytest.param(LOST, id="no answer"), pytest.param(problem(504, ""), id="a proxy's")])
@pytest.mark.parametrize(
    ("status", "code"), [(401, "SIGNATURE_EXPIRED"), (409, "CELL_CLOSED"), (409, "BET_EXPIRED")], ids=lambda item: item
)
def test_a_repeat_that_comes_too_late_does_not_hide_the_bet_whose_answer_was_lost(
    lost: httpx.Response | Exception, status: int, code: str, clock: ManualClock
) -> None:
    page = httpx.Response(200, json={"bets": [BET], "next_cursor": None})
    scene = Scene(lost, problem(status, code), page, clock=clock)
    assert scene.delivery.deliver(SIGNED).bet is not None


def test_after_a_certain_refusal_a_closed_cell_is_a_refusal(clock: ManualClock) -> None:
    scene = Scene(problem(503, "UNAVAILABLE"), problem(409, "CELL_CLOSED"), clock=clock)
    assert scene.delivery.deliver(SIGNED) == Fate(None, "CELL_CLOSED", "because")


def ask_grid(line: Line) -> Callable[[], object]:
    return lambda: line.ask(lambda client: client.grid())


def test_asking_ends_with_a_sentence_when_the_outage_lasts(clock: ManualClock) -> None:
    scene = Scene(httpx.ConnectError("down"), clock=clock)
    with pytest.raises(PlayError, match=r"no answer from http://127\.0\.0\.1:1 for 60 s \(ConnectError: down\)"):
        ask_grid(scene.line)()


def test_asking_does_not_repeat_what_waiting_cannot_mend(clock: ManualClock) -> None:
    scene = Scene(problem(404, "NOT_FOUND"), clock=clock)
    with pytest.raises(ApiError, match="NOT_FOUND"):
        ask_grid(scene.line)()
    assert scene.waits == []
