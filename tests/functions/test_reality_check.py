"""The reality check through the HTTP interface: how long, what came of it, and when it is due again."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.clock import rfc3339
from runtime.messaging import redis_keys
from tests.attack.arena import Arena, Instance
from tests.attack.attacker import Player
from tests.jobs.writer_desk import PRICE_CENTS

PATH = "/api/me/reality-check"
MINUTE_MS = 60_000


@pytest.fixture
def player(arena: Arena) -> Player:
    """Return a signed-in player."""
    return Player(arena, b"\x11" * 32).log_in()


def check(player: Player, instance: Instance | None = None) -> dict[str, Any]:
    answer = player.get(PATH, instance=instance)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def acknowledge(player: Player) -> dict[str, Any]:
    answer = player.send(PATH, b"")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_who_has_not_bet_has_no_sitting(arena: Arena, player: Player) -> None:
    nothing = {
        "since_ms": None,
        "since_at": None,
        "played_ms": 0,
        "bets": 0,
        "staked_cents": 0,
        "returned_cents": 0,
        "net_cents": 0,
        "open_stake_cents": 0,
        "every_ms": 60 * MINUTE_MS,
        "due_ms": None,
    }
    assert check(player) == nothing
    assert acknowledge(player) == nothing
    assert arena.desk.client.exists(redis_keys.reality_seen(player.user_id)) == 0


def test_it_tells_the_time_and_the_money_of_the_sitting(arena: Arena, player: Player) -> None:
    since_ms = arena.now_ms
    won = player.tap(amount=1000)
    start_s = won["column_start_s"]
    player.tap(amount=500, columns=3, rows=2)
    arena.advance(1_000)
    player.tap(amount=100, columns=9)
    arena.desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    player.send("/api/deposits", {"amount": 7})
    payout = 1_000 * won["reward_rate"] // 10_000
    arena.advance(59_000)
    assert check(player) == {
        "since_ms": since_ms,
        "since_at": rfc3339(since_ms),
        "played_ms": 60_000,
        "bets": 3,
        "staked_cents": 1_600,
        "returned_cents": payout,
        "net_cents": payout - 1_600,
        "open_stake_cents": 100,
        "every_ms": 60 * MINUTE_MS,
        "due_ms": since_ms + 60 * MINUTE_MS,
    }
    assert check(player, arena.two) == check(player)
    other = Player(arena, b"\x33" * 32).log_in()
    assert check(other)["bets"] == 0


def test_a_pause_of_more_than_30_minutes_begins_another_sitting(arena: Arena, player: Player) -> None:
    since_ms = arena.now_ms
    player.tap()
    arena.advance(30 * MINUTE_MS)
    assert check(player)["since_ms"] == since_ms
    player.tap()
    assert (check(player)["since_ms"], check(player)["bets"]) == (since_ms, 2)
    arena.advance(30 * MINUTE_MS + 1)
    assert check(player)["since_ms"] is None
    player.tap()
    assert (check(player)["since_ms"], check(player)["bets"]) == (arena.now_ms, 1)


def test_an_acknowledged_check_is_due_an_interval_later_in_every_process(arena: Arena, player: Player) -> None:
    since_ms = arena.now_ms
    player.tap()
    for _ in range(3):
        arena.advance(25 * MINUTE_MS)
        player.tap()
    assert check(player)["due_ms"] == since_ms + 60 * MINUTE_MS < arena.now_ms
    seen_ms = arena.now_ms
    assert acknowledge(player)["due_ms"] == seen_ms + 60 * MINUTE_MS
    arena.advance(1_000)
    assert check(player, arena.two)["due_ms"] == seen_ms + 60 * MINUTE_MS
    key = redis_keys.reality_seen(player.user_id)
    left_ms: Any = arena.desk.client.pttl(key)
    assert 0 < left_ms <= 60 * MINUTE_MS
    arena.desk.client.delete(key)
    assert check(player)["due_ms"] == since_ms + 60 * MINUTE_MS, "what was lost is asked again"


def test_players_choose_their_interval_and_a_longer_one_counts_after_a_day(arena: Arena, player: Player) -> None:
    player.set_limits(reality_check_minutes=15)
    player.tap()
    assert check(player)["every_ms"] == 15 * MINUTE_MS
    assert check(player)["due_ms"] == arena.now_ms + 15 * MINUTE_MS
    player.set_limits(reality_check_minutes=None)
    assert check(player)["every_ms"] == 15 * MINUTE_MS
    other = Player(arena, b"\x33" * 32).log_in()
    other.set_limits(reality_check_minutes=120)
    assert check(other)["every_ms"] == 60 * MINUTE_MS, "longer than the house's"
    arena.advance(24 * 60 * MINUTE_MS)
    assert check(player.log_in())["every_ms"] == 60 * MINUTE_MS
    assert check(other.log_in())["every_ms"] == 120 * MINUTE_MS


@pytest.mark.parametrize("minutes", [0, 4, 241, 7.5, "30"])
def test_an_odd_interval_is_refused(player: Player, minutes: Any) -> None:
    headers = {"Authorization": f"Bearer {player.token}"}
    body = {"reality_check_minutes": minutes}
    answer = player.arena.one.client.simulate_put("/api/me/limits", json=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_needs_a_session(arena: Arena, method: str) -> None:
    assert arena.one.client.simulate_request(method, PATH).status_code == 401
