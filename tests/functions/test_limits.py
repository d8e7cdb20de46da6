"""A player's own limits through the HTTP interface: tighter at once, looser after a day."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.signing_in import House

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def token(house: House) -> str:
    return house.log_in()


def put(house: House, token: str, **wanted: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    result = house.client.simulate_put("/api/me/limits", json=wanted, headers=headers)
    assert result.status_code == 200, result.text
    return result.json


def get(house: House, token: str) -> Any:
    return house.call("GET", "/api/me/limits", token).json


def test_nobody_has_limits_at_first(house: House, token: str) -> None:
    answer = get(house, token)
    assert set(answer["limits"].values()) == {None}
    assert answer["pending"] is None


def test_a_tighter_limit_counts_at_once(house: House, token: str) -> None:
    answer = put(house, token, stake_day_max_cents=5_000)
    assert answer["limits"]["stake_day_max_cents"] == 5_000
    assert answer["pending"] is None
    house.parts.clock.advance(10)
    assert put(house, token, stake_day_max_cents=4_000)["limits"]["stake_day_max_cents"] == 4_000
    assert house.call("GET", "/api/me", token).json["limits"]["stake_day_max_cents"] == 4_000


@pytest.mark.parametrize("looser", [None, 6_000])
def test_a_looser_limit_counts_after_a_day(house: House, token: str, looser: int | None) -> None:
    put(house, token, stake_day_max_cents=5_000)
    house.parts.clock.advance(1_000)
    asked_ms = house.now_ms
    answer = put(house, token, stake_day_max_cents=looser)
    assert answer["limits"]["stake_day_max_cents"] == 5_000
    assert answer["pending"]["limits"]["stake_day_max_cents"] == looser
    assert answer["pending"]["effective_ms"] == asked_ms + DAY_MS
    house.parts.clock.wall_ms = asked_ms + DAY_MS - 1
    token = house.log_in(nonce="later123")
    assert get(house, token)["limits"]["stake_day_max_cents"] == 5_000
    house.parts.clock.advance(1)
    assert get(house, token) == {"limits": answer["pending"]["limits"], "pending": None}


def test_fields_that_are_left_out_stay(house: House, token: str) -> None:
    until_ms = house.now_ms + 7 * DAY_MS
    put(house, token, stake_day_max_cents=5_000, excluded_until_ms=until_ms)
    house.parts.clock.advance(10)
    answer = put(house, token, loss_day_max_cents=1_000)
    assert answer["limits"] == {
        "stake_day_max_cents": 5_000,
        "loss_day_max_cents": 1_000,
        "cool_off_until_ms": None,
        "excluded_until_ms": until_ms,
    }
    assert answer["pending"] is None


def test_self_exclusion_leaves_login_and_account(house: House, token: str) -> None:
    put(house, token, excluded_until_ms=house.now_ms + DAY_MS)
    assert house.call("GET", "/api/me", house.log_in(nonce="again123")).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [
        {"stake_day_max_cents": -1},
        {"stake_day_max_cents": 1.5},
        {"stake_day_max_cents": "100"},
        {"stake_day_max_cents": True},
        {"stake_day_max_cents": 10**13},
        {"excluded_until_ms": 10**14},
        {"stake": 5},
    ],
)
def test_odd_limits_are_refused(house: House, token: str, wanted: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    result = house.client.simulate_put("/api/me/limits", json=wanted, headers=headers)
    assert (result.status_code, result.json["code"]) == (400, "INVALID_REQUEST")
    assert house.count("player_limits") == 0


def test_without_the_writer_it_is_unavailable(house: House, token: str) -> None:
    house.parts.outbox.answers = False
    headers = {"Authorization": f"Bearer {token}"}
    result = house.client.simulate_put("/api/me/limits", json={"stake_day_max_cents": 1}, headers=headers)
    assert (result.status_code, result.json["code"]) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_limits_need_a_session(house: House, method: str) -> None:
    assert house.client.simulate_request(method, "/api/me/limits").status_code == 401
