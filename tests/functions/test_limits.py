"""A player's own limits through the HTTP interface: tighter at once, looser after a day."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.game.limit_changes import CHANGES_PER_DAY_MAX
from runtime.messaging.commands import AnyCommand, Outcome
from runtime.records.accounts import read_changes
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


def _both_at_once(house: House, token: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Send two changes so that each was asked for before the other was committed."""
    commit = house.parts.outbox.submit

    def send_other_first(command: AnyCommand) -> Outcome | None:
        house.parts.outbox.submit = commit  # type: ignore[method-assign]
        put(house, token, **other)
        return commit(command)

    house.parts.outbox.submit = send_other_first  # type: ignore[method-assign]
    put(house, token, **one)


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
    later = get(house, token)
    assert (later["limits"], later["pending"], later["steps"]) == (answer["pending"]["limits"], None, [])


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
        "stake_max_cents": None,
        "deposit_day_max_cents": None,
        "deposit_week_max_cents": None,
        "reality_check_minutes": None,
    }
    assert answer["pending"] is None


def test_two_fields_saved_at_once_leave_both(house: House, token: str) -> None:
    """A page that saves each field sends both before it has seen an answer: nothing else may be lifted by it."""
    _both_at_once(house, token, {"stake_day_max_cents": 5_000}, {"loss_day_max_cents": 1_000})
    answer = get(house, token)
    assert answer["limits"]["stake_day_max_cents"] == 5_000
    assert answer["limits"]["loss_day_max_cents"] == 1_000
    assert answer["pending"] is None


def test_wishes_of_two_days_keep_their_times(house: House, token: str) -> None:
    put(house, token, stake_day_max_cents=5_000, loss_day_max_cents=1_000)
    first = put(house, token, stake_day_max_cents=6_000)["pending"]
    house.parts.clock.advance(60_000)
    answer = put(house, token, loss_day_max_cents=None)
    assert [step["effective_ms"] - first["effective_ms"] for step in answer["steps"]] == [0, 60_000]
    assert answer["steps"][0] == first
    assert answer["pending"] == answer["steps"][1]
    assert answer["pending"]["limits"] == {**first["limits"], "loss_day_max_cents": None}


def test_no_change_leaves_no_row(house: House, token: str) -> None:
    put(house, token, stake_day_max_cents=5_000)
    put(house, token, stake_day_max_cents=6_000)
    before = house.count("player_limits")
    for wanted in ({"stake_day_max_cents": 6_000}, {"loss_day_max_cents": None}, {}):
        house.parts.clock.advance(10)
        put(house, token, **wanted)
    assert house.count("player_limits") == before


def test_changes_have_an_allowance_by_day_that_never_stops_much_tighter_ones(house: House, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}

    def change(**wanted: Any) -> Any:
        house.parts.clock.advance(10)
        return house.client.simulate_put("/api/me/limits", json=wanted, headers=headers)

    began_ms = house.now_ms
    for cents in range(CHANGES_PER_DAY_MAX):
        assert change(stake_day_max_cents=9_000 - cents).status_code == 200
    for wanted in ({"stake_day_max_cents": None}, {"stake_day_max_cents": 8_000}):
        refused = change(**wanted)
        assert (refused.status_code, refused.json["code"]) == (429, "RATE_LIMITED")
        assert (refused.json["bucket"], refused.json["limit"]) == ("limit_changes", CHANGES_PER_DAY_MAX)
        assert DAY_MS - (house.now_ms - began_ms) <= int(refused.headers["Retry-After"]) * 1000 <= DAY_MS
    assert change(stake_day_max_cents=9_000 - CHANGES_PER_DAY_MAX + 1).status_code == 200, "it is so already"
    assert change(stake_day_max_cents=4_000).status_code == 200
    assert change(stake_day_max_cents=3_999).status_code == 429
    assert change(excluded_until_ms=house.now_ms + DAY_MS).status_code == 200
    assert change(excluded_until_ms=house.now_ms + DAY_MS + 60_000).status_code == 429
    assert change(excluded_until_ms=house.now_ms + 3 * DAY_MS).status_code == 200
    assert change(excluded_until_ms=house.now_ms + 9 * DAY_MS, loss_day_max_cents=5).status_code == 200


def test_only_the_newest_change_is_read(house: House, token: str) -> None:
    for cents in (5_000, 4_000, None, 3_000):
        house.parts.clock.advance(10)
        put(house, token, stake_day_max_cents=cents)
    house.parts.clock.advance(10)
    put(house, token, loss_day_max_cents=1_000)
    put(house, token, loss_day_max_cents=None)
    [(user_id,)] = house.parts.pool.execute("SELECT DISTINCT user_id FROM player_limits")
    found = read_changes(house.parts.pool, user_id, house.now_ms)
    assert [change.effective_ms - house.now_ms for change in found] == [0, DAY_MS]
    assert house.count("player_limits") > len(found)


@pytest.mark.parametrize("name", ["stake_max_cents", "deposit_day_max_cents", "deposit_week_max_cents"])
def test_each_limit_is_tightened_at_once_and_loosened_after_a_day(house: House, token: str, name: str) -> None:
    assert put(house, token, **{name: 700})["limits"] == {**get(house, token)["limits"], name: 700}
    asked_ms = house.now_ms
    looser = put(house, token, **{name: None})
    assert looser["limits"][name] == 700
    assert (looser["pending"]["limits"][name], looser["pending"]["effective_ms"]) == (None, asked_ms + DAY_MS)
    assert put(house, token, **{name: 0})["limits"][name] == 0


DAYS = {"cool_off_until_ms": (1, 7, 30), "excluded_until_ms": (183, 365, 1826, 36_500)}


@pytest.mark.parametrize(("name", "days"), [(name, days) for name, spans in DAYS.items() for days in spans])
def test_a_pause_is_set_with_one_request_and_is_not_taken_back(house: House, token: str, name: str, days: int) -> None:
    until_ms = house.now_ms + days * DAY_MS
    assert put(house, token, **{name: until_ms})["limits"][name] == until_ms
    house.parts.clock.advance(1_000)
    for less in (None, until_ms - 1):
        answer = put(house, token, **{name: less})
        assert answer["limits"][name] == until_ms
        assert answer["pending"]["effective_ms"] == house.now_ms + DAY_MS
    assert put(house, token, **{name: until_ms + 1})["limits"][name] == until_ms + 1


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
        {"stake_max_cents": -1},
        {"deposit_day_max_cents": 10**12 + 1},
        {"deposit_week_max_cents": "all"},
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
