"""The operator's door: who knocks without being one, with what is somebody else's, or from somewhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from runtime.auth.operators import COOKIE, COOKIE_PATH
from runtime.auth.siwe import OPERATE_URN, SESSION_KEY_URN
from runtime.clock import ManualClock, rfc3339
from runtime.messaging import redis_keys
from runtime.settings import Settings
from tests.attack.arena import Arena, Instance, all_functions
from tests.attack.attacker import Player
from tests.attack.conftest import OTHER_SESSION_KEY, OTHER_WALLET
from tests.attack.operator import KEY, OTHER_KEY, OWN_PAGE, Operator, open_house
from tests.runtime.auth.logins import SESSION_KEY

HOUR_MS = 3_600_000
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
BODIES: dict[str, Any] = {
    "breaker": {"override": "open", "why": "an attack"},
    "buckets/open": {"bucket": "20-50x/all", "why": "an attack"},
    f"withdrawals/{ULID}/complete": {"reference": "r", "why": "an attack"},
    f"withdrawals/{ULID}/reverse": {"reference": "r", "why": "an attack"},
    "logout": None,
}
LOOKS = ("session", "overview", "exposure", "buckets", "withdrawals")
ASKED = [("GET", path, None) for path in LOOKS] + [("POST", path, body) for path, body in BODIES.items()]


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return an arena that two wallets operate."""
    with open_house(settings, clock) as opened:
        yield opened


@pytest.fixture
def operator(arena: Arena) -> Operator:
    """Return an operator who has not signed in yet."""
    return Operator(arena)


def answers(operator: Operator, **more: Any) -> set[tuple[int, str]]:
    """Ask for everything there is; return the different answers, by status and code."""
    results = [operator.ask(method, path, body, **more) for method, path, body in ASKED]
    return {(result.status_code, result.json["code"]) for result in results}


def changed_nothing(arena: Arena) -> bool:
    """Tell whether no operator's word was kept, and none counts."""
    stored: Any = arena.desk.client.get(redis_keys.BREAKER)
    arena.desk.work()
    return arena.count("breaker_overrides") == 0 and b'"override":"auto"' in stored


def test_what_is_asked_here_is_all_that_operators_may_ask() -> None:
    routes = {(one.method, one.route) for one in all_functions() if one.auth == "operator"}
    asked = {(method, f"/api/operate/{path.replace(ULID, '{withdrawal_id}')}") for method, path, _ in ASKED}
    assert routes == asked


def test_without_a_session_there_is_nothing(arena: Arena, operator: Operator) -> None:
    assert answers(operator) == {(401, "UNAUTHENTICATED")}
    assert changed_nothing(arena)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é", "../../operator"])
def test_guessed_tokens_are_none(arena: Arena, operator: Operator, token: str) -> None:
    operator.cookies = {COOKIE: token}
    assert answers(operator) == {(401, "UNAUTHENTICATED")}
    assert changed_nothing(arena)


def test_a_players_session_does_not_operate_not_even_of_the_same_wallet(arena: Arena, operator: Operator) -> None:
    token = Player(arena, KEY, OTHER_SESSION_KEY).log_in().token
    for headers in ({"Authorization": f"Bearer {token}"}, OWN_PAGE | {"Cookie": f"taptrade_session={token}"}):
        assert answers(operator, headers=headers) == {(403, "FORBIDDEN")}
        assert operator.ask("GET", "session", headers=headers).json["reason"] == "player"
    operator.cookies = {COOKIE: token}
    assert answers(operator) == {(401, "UNAUTHENTICATED")}
    assert changed_nothing(arena)


def test_an_operators_token_does_not_play(arena: Arena, operator: Operator) -> None:
    token = operator.log_in().token
    for headers in ({"Authorization": f"Bearer {token}"}, OWN_PAGE | {"Cookie": f"taptrade_session={token}"}):
        assert arena.one.client.simulate_get("/api/me", headers=headers).status_code == 401
    assert operator.ask("GET", "session", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    operator.cookies = {}
    assert operator.ask("GET", "session", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert arena.count("users") == 0, "whoever operates need not play"


def test_a_wallet_that_is_not_on_the_list_cannot_sign_in(arena: Arena) -> None:
    stranger = Operator(arena, OTHER_WALLET)
    result = stranger.knock()
    assert (result.status_code, result.json["reason"]) == (403, "not_listed")
    assert (stranger.cookies, arena.desk.client.exists(redis_keys.OPERATORS)) == ({}, 0)


def test_whoever_signs_for_a_listed_wallet_without_its_key_is_refused(arena: Arena, operator: Operator) -> None:
    forged = Operator(arena, OTHER_WALLET).signed(address=operator.shown)
    result = operator.knock(forged)
    assert (result.status_code, result.json["code"]) == (401, "INVALID_SIGNATURE")


def test_a_wallet_that_was_taken_off_the_list_operates_no_more(
    arena: Arena, operator: Operator, settings: Settings
) -> None:
    operator.log_in()
    shorter = Instance(arena.desk, replace(arena.settings, operators=arena.settings.operators[1:]), "api-3")
    assert answers(operator, instance=shorter) == {(403, "FORBIDDEN")}
    assert operator.ask("GET", "session", instance=shorter).json["reason"] == "not_listed"
    shorter.close()
    assert changed_nothing(arena)


def test_an_empty_list_closes_the_door(arena: Arena, operator: Operator) -> None:
    operator.log_in()
    closed = Instance(arena.desk, replace(arena.settings, operators=()), "api-3")
    assert answers(operator, instance=closed) == {(403, "FORBIDDEN")}
    result = operator.knock(instance=closed)
    assert (result.status_code, result.json["reason"]) == (403, "closed")
    assert answers(operator, instance=closed) == {(403, "FORBIDDEN")}, "also for whoever brings nothing"
    closed.close()
    assert changed_nothing(arena)


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param(None, id="none"),
        pytest.param((SESSION_KEY_URN + SESSION_KEY,), id="a player's"),
        pytest.param((OPERATE_URN, SESSION_KEY_URN + SESSION_KEY), id="both"),
        pytest.param((OPERATE_URN, OPERATE_URN), id="twice"),
        pytest.param((OPERATE_URN.upper(),), id="upper case"),
        pytest.param((OPERATE_URN + ":all",), id="more"),
        pytest.param(("https://example.org/operate",), id="another's"),
    ],
)
def test_only_a_message_for_operating_begins_it(
    arena: Arena, operator: Operator, resources: tuple[str, ...] | None
) -> None:
    result = operator.knock(operator.signed(resources=resources))
    assert (result.status_code, result.json["code"]) == (400, "INVALID_REQUEST")
    assert not arena.desk.client.exists(redis_keys.OPERATORS)


def test_a_message_for_operating_begins_no_players_session(arena: Arena, operator: Operator) -> None:
    signed = operator.signed()
    result = arena.one.client.simulate_post("/api/auth/login", json=signed)
    assert (result.status_code, result.json["code"]) == (400, "INVALID_REQUEST")
    assert "/api/operate/login" in result.json["detail"]
    assert operator.knock(signed).status_code == 200, "and is not used up by that"


def test_a_message_counts_once_in_whatever_process(arena: Arena, operator: Operator) -> None:
    signed = operator.signed()
    assert operator.knock(signed).status_code == 200
    for instance in arena.instances:
        result = operator.knock(signed, instance=instance)
        assert (result.status_code, result.json["code"]) == (409, "REPLAYED_NONCE")
        assert operator.cookies == {}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"domain": "evil.example", "uri": "http://evil.example"}, "INVALID_SIGNATURE", id="domain"),
        pytest.param({"chain_id": 5}, "INVALID_SIGNATURE", id="chain"),
        pytest.param({"issued_at": rfc3339(1_790_000_000_000 - 31_000)}, "SIGNATURE_EXPIRED", id="old"),
        pytest.param({"issued_at": rfc3339(1_790_000_000_000 + 6_000)}, "SIGNATURE_EXPIRED", id="from the future"),
        pytest.param({"expiration_time": rfc3339(1_790_000_000_000)}, "SIGNATURE_EXPIRED", id="ended"),
    ],
)
def test_a_message_for_another_house_or_time_is_refused(operator: Operator, changed: Any, code: str) -> None:
    assert operator.knock(operator.signed(**changed)).json["code"] == code


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="same-site"),
        pytest.param({"Origin": "https://evil.example"}, id="origin"),
        pytest.param({"Origin": "null"}, id="null"),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"}, id="two stories"),
    ],
)
def test_other_pages_neither_act_nor_look_with_the_cookie(
    arena: Arena, operator: Operator, headers: dict[str, str]
) -> None:
    operator.log_in()
    assert answers(operator, headers=headers) == {(403, "FORBIDDEN")}
    other = Operator(arena)
    result = other.knock(headers=headers)
    assert (result.status_code, other.cookies) == (403, {})
    assert changed_nothing(arena)


def test_a_change_needs_a_word_on_its_origin(arena: Arena, operator: Operator) -> None:
    operator.log_in()
    result = operator.ask("POST", "breaker", BODIES["breaker"], headers={})
    assert (result.status_code, result.json["reason"]) == (403, "origin")
    assert operator.ask("GET", "session", headers={}).status_code == 200
    assert changed_nothing(arena)


def test_two_cookies_of_the_name_are_none(operator: Operator) -> None:
    token = operator.log_in().token
    operator.cookies = {}
    headers = OWN_PAGE | {"Cookie": f"{COOKIE}={token}; {COOKIE}={token}"}
    assert operator.ask("GET", "session", headers=headers).status_code == 401


def test_the_cookie_is_for_operating_alone_and_for_an_hour(operator: Operator) -> None:
    cookie = operator.knock().cookies[COOKIE]
    assert (cookie.path, cookie.http_only, cookie.same_site, cookie.max_age) == (COOKIE_PATH, True, "Strict", 3600)
    assert "token" not in operator.knock().json


def test_a_session_ends_after_an_hour_at_most(arena: Arena, operator: Operator) -> None:
    operator.log_in()
    arena.advance(HOUR_MS - 1)
    assert operator.ask("GET", "session").status_code == 200
    arena.advance(1)
    assert answers(operator) == {(401, "UNAUTHENTICATED")}
    ends_ms = arena.now_ms + 60_000
    assert operator.knock(operator.signed(expiration_time=rfc3339(ends_ms))).json["expires_ms"] == ends_ms
    arena.advance(60_000)
    assert answers(operator) == {(401, "UNAUTHENTICATED")}
    assert changed_nothing(arena)


def test_signing_out_ends_it_in_every_process_at_once(arena: Arena, operator: Operator) -> None:
    operator.log_in()
    token = operator.token
    assert operator.ask("GET", "session", instance=arena.two).status_code == 200
    result = operator.ask("POST", "logout")
    assert (result.status_code, result.cookies[COOKIE].value) == (204, "")
    operator.cookies = {COOKIE: token}
    assert answers(operator, instance=arena.two) == {(401, "UNAUTHENTICATED")}


def test_a_sign_in_elsewhere_ends_the_one_before(arena: Arena, operator: Operator) -> None:
    operator.log_in()
    colleague, elsewhere = Operator(arena, OTHER_KEY).log_in(), Operator(arena).log_in()
    assert answers(operator) == {(401, "UNAUTHENTICATED")}
    assert elsewhere.ask("GET", "session").status_code == 200
    assert colleague.look("session")["wallet_address"] == colleague.shown


def test_what_is_kept_does_not_hold_the_token_and_stays_within_its_budget(arena: Arena, operator: Operator) -> None:
    token = operator.log_in().token
    stored: Any = arena.desk.client.hgetall(redis_keys.OPERATORS)
    assert token not in str(stored)
    assert arena.desk.client.pttl(redis_keys.OPERATORS) <= HOUR_MS
    alone: Any = arena.desk.client.memory_usage(redis_keys.OPERATORS)
    assert alone <= redis_keys.OPERATOR_BYTES_MAX
