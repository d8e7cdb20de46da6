"""Gestures over a line that breaks: the very same body again, and what became of each tap."""

from __future__ import annotations

from typing import Any

import pytest

from taptrade.client import WantedTap
from tests.taptrade.client.test_account import BET, LOST, PENDING, Scene, ok, problem, scene

__all__ = ["scene"]
MOVED = {"refusal": {"code": "RATE_MOVED", "detail": "it fell", "rate_bp": 5}}
TOLD = {"gesture_id": "01A", "taps": [{"bet": BET, "balance": 900}, MOVED]}
TAPS = [WantedTap("10_0_500", 100, 19_000), WantedTap("10_500_1000", 100, 19_000)]


def place_many(account: Any) -> Any:
    return account.place_many(TAPS)


def said(fates: Any) -> list[str]:
    return [fate.bet.status if fate.bet else fate.code for fate in fates]


def test_each_tap_has_its_own_answer_and_twenty_share_a_signature(scene: Scene) -> None:
    fates = scene.play(place_many, bets=[ok(TOLD, 201)])
    assert said(fates) == ["confirmed", "RATE_MOVED"]
    assert fates[1].extras["rate_bp"] == 5
    many = scene.play(lambda account: account.place_many(TAPS * 11), bets=[ok({**TOLD, "taps": [MOVED] * 11}, 201)])
    sizes = [len(body["taps"]) for body in scene.bodies["/api/bets"]]
    assert (sizes, len(many)) == ([2, 20, 2], 22)


def test_a_lost_answer_is_asked_for_with_the_same_body(scene: Scene) -> None:
    stored = [{"bet": BET}, MOVED]
    fates = scene.play(place_many, bets=[LOST, problem(503, "OVERLOADED"), problem(409, "REPLAYED_NONCE", taps=stored)])
    first, *repeats = scene.bodies["/api/bets"]
    assert (said(fates), repeats) == (["confirmed", "RATE_MOVED"], [first, first])


def test_what_is_pending_is_waited_for(scene: Scene) -> None:
    told = [{"outcome": "pending", "bet_id": "01B"}, {"outcome": "never_placed", "bet_id": "01C"}]
    fates = scene.play(
        place_many,
        bets=[problem(409, "REPLAYED_NONCE", taps=told)],
        bets__01B=[ok({"bet": PENDING}, 202), ok({"bet": BET})],
    )
    assert said(fates) == ["confirmed", "BET_NEVER_PLACED"]
    fates = scene.play(
        place_many,
        bets=[ok({"gesture_id": "01A", "taps": [{"bet": PENDING}, {"bet": PENDING}]}, 202)],
        bets__01B=[problem(404, "BET_NEVER_PLACED")],
    )
    assert said(fates) == ["BET_NEVER_PLACED"] * 2


def test_a_tap_that_was_refused_while_it_was_pending_has_code_and_sentence(scene: Scene) -> None:
    told = {"bet": BET | {"status": "refused", "refusal_code": "RATE_MOVED", "refusal_detail": "it fell"}}
    fates = scene.play(
        place_many, bets=[ok({"gesture_id": "01A", "taps": [{"bet": PENDING}, MOVED]}, 202)], bets__01B=[ok(told)]
    )
    assert [(fate.code, fate.detail) for fate in fates] == [("RATE_MOVED", "it fell")] * 2


def test_a_gesture_that_cannot_be_sent_any_more_is_looked_for(scene: Scene) -> None:
    rows = [{"bets": [BET], "next_cursor": None}, {"bets": [BET | {"status": "refused"}], "next_cursor": None}]
    fates = scene.play(place_many, bets=[LOST, problem(401, "SIGNATURE_EXPIRED"), *[ok(page) for page in rows]])
    assert said(fates) == ["confirmed", "BET_NEVER_PLACED"]


@pytest.mark.parametrize("code", ["INVALID_SIGNATURE", "FORBIDDEN"])
def test_what_refuses_all_of_it_is_told_of_each_tap(scene: Scene, code: str) -> None:
    assert said(scene.play(place_many, bets=[problem(403, code)])) == [code, code]


def test_a_signature_that_is_too_old_is_made_anew_by_the_servers_time(scene: Scene) -> None:
    expired = problem(401, "SIGNATURE_EXPIRED", server_time_ms=1_790_000_500_000)
    assert said(scene.play(place_many, bets=[expired, ok(TOLD, 201)])) == ["confirmed", "RATE_MOVED"]
    first, second = scene.bodies["/api/bets"]
    assert first["nonce"] != second["nonce"]
    assert abs(second["timestamp"] - 1_790_000_500) < 5
