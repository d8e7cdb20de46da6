"""What of a player's limits is used, as GET /api/me/limits tells it: it is what refuses bets and deposits."""

from __future__ import annotations

from typing import NoReturn

import pytest
from falcon.testing import Result

from runtime.errors import Unavailable
from runtime.game.limits import DAY_MS, WEEK_MS
from runtime.records import own_limits
from tests.attack.arena import Arena
from tests.attack.attacker import Player
from tests.jobs.writer_desk import PRICE_CENTS

HOUR_MS = 3_600_000
USED = ("stake_day_used_cents", "loss_day_used_cents", "deposit_day_used_cents", "deposit_week_used_cents")


@pytest.fixture
def player(arena: Arena) -> Player:
    """Return a player with 9,000 dollars, so that deposits fit below the cap."""
    player = Player(arena, b"\x11" * 32).log_in()
    assert player.withdraw(player.withdrawal(amount=100_000)).status_code == 201
    return player


def used(player: Player) -> tuple[int | None, ...]:
    answer = player.get("/api/me/limits")
    assert answer.status_code == 200, answer.text
    return tuple(answer.json[name] for name in USED)


def pay(player: Player, amount: int) -> None:
    answer = player.send("/api/deposits", {"amount": amount})
    assert answer.status_code == 201, answer.text


def refused(answer: Result) -> tuple[str, int]:
    """Return which limit a refusal names, and what it leaves."""
    assert answer.json["code"] == "LIMIT_REACHED", answer.text
    return answer.json["limit"], answer.json["left_cents"]


def test_nothing_is_used_at_first_and_the_demo_credit_is_no_deposit(player: Player) -> None:
    assert used(player) == (0, 0, 0, 0)


def test_a_bet_uses_stakes_and_losses_and_its_payout_gives_losses_back(arena: Arena, player: Player) -> None:
    bet = player.tap(amount=1_000)
    player.tap(amount=500, rows=1)
    assert used(player)[:2] == (1_500, 1_500)
    arena.desk.settle(bet["column_start_s"], PRICE_CENTS, PRICE_CENTS)
    payout = 1_000 * bet["reward_rate"] // 10_000
    assert used(player)[:2] == (1_500, 1_500 - payout)


def test_the_day_of_bets_ends_at_midnight_utc(arena: Arena, player: Player) -> None:
    player.tap(amount=1_000)
    arena.clock.wall_ms += DAY_MS - arena.now_ms % DAY_MS - 1
    player.log_in()
    assert used(player)[:2] == (1_000, 1_000)
    arena.clock.advance(1)
    assert used(player)[:2] == (0, 0)


def test_deposits_leave_their_windows_one_by_one(arena: Arena, player: Player) -> None:
    first_ms = arena.now_ms
    pay(player, 300)
    arena.clock.advance(HOUR_MS)
    pay(player, 50)
    assert used(player)[2:] == (350, 350)
    for at_ms, expected in (
        (first_ms + DAY_MS - 1, (350, 350)),
        (first_ms + DAY_MS, (50, 350)),
        (first_ms + DAY_MS + HOUR_MS, (0, 350)),
        (first_ms + WEEK_MS, (0, 50)),
        (first_ms + WEEK_MS + HOUR_MS, (0, 0)),
    ):
        arena.clock.wall_ms = at_ms
        player.log_in()
        assert used(player)[2:] == expected


@pytest.mark.parametrize(("name", "at"), [("stake_day_max_cents", 0), ("loss_day_max_cents", 1)])
def test_what_a_refused_bet_is_left_is_the_limit_less_what_is_used(
    arena: Arena, player: Player, name: str, at: int
) -> None:
    bet = player.tap(amount=1_000)
    arena.desk.settle(bet["column_start_s"], PRICE_CENTS, PRICE_CENTS)
    arena.advance(30_000)
    player.tap(amount=500)
    answer = player.set_limits(**{name: 5_000})
    assert refused(player.place(player.bet(amount=10_000, rows=2))) == (name, 5_000 - answer[USED[at]])


@pytest.mark.parametrize(("name", "at"), [("deposit_day_max_cents", 2), ("deposit_week_max_cents", 3)])
def test_what_a_refused_deposit_is_left_is_the_limit_less_what_is_used(
    arena: Arena, player: Player, name: str, at: int
) -> None:
    pay(player, 300)
    arena.clock.advance(DAY_MS)
    player.log_in()
    pay(player, 40)
    answer = player.set_limits(**{name: 500})
    assert refused(player.send("/api/deposits", {"amount": 501})) == (name, 500 - answer[USED[at]])


def test_limits_are_told_on_a_day_that_cannot_be_counted_in_time(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*_: object) -> NoReturn:
        raise Unavailable("The database could not be read in time.")

    monkeypatch.setattr(own_limits, "totals_since", too_long)
    pay(player, 70)
    assert used(player) == (None, None, 70, 70)
