"""Limits at the writer's desk: what a player set for themselves, and what the refusal says about it."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.game.grid import parse_cell
from runtime.game.limits import DAY_MS, PlayerLimits, refusal
from runtime.messaging.commands import Outcome, SetLimits
from runtime.messaging.outcomes import refusal_of
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

pytestmark = pytest.mark.engines

MIDNIGHT_MS = 1_790_000_000_000 - 1_790_000_000_000 % DAY_MS + DAY_MS


def limit(desk: Desk, user_id: str, **limits: int) -> None:
    now_ms = desk.clock.now_ms()
    command = SetLimits(id=desk.new_id(), received_ms=now_ms, decided_by_ms=now_ms, user_id=user_id, **limits)
    assert desk.do(command)[0].code is None


def tap(desk: Desk, user_id: str, amount: int, **where: Any) -> Outcome:
    return desk.place(desk.bet(user_id, amount=amount, **where))[0]


def said(outcome: Outcome) -> dict[str, Any]:
    assert outcome.code == "LIMIT_REACHED"
    return {name: outcome.data[name] for name in ("limit", "left_cents", "max_stake_cents", "until_ms")}


def test_a_limit_of_stakes_says_what_is_left_and_until_when(desk: Desk) -> None:
    user = desk.player()
    limit(desk, user, stake_day_max_cents=1_600)
    assert tap(desk, user, 1000).code is None
    refused = tap(desk, user, 1000, rows=1)
    assert said(refused) == {
        "limit": "stake_day_max_cents",
        "left_cents": 600,
        "max_stake_cents": 500,
        "until_ms": MIDNIGHT_MS,
    }
    assert tap(desk, user, 500, rows=1).code is None
    assert said(tap(desk, user, 500, rows=2))["max_stake_cents"] == 100
    assert tap(desk, user, 100, rows=2).code is None
    assert said(tap(desk, user, 100, rows=3))["max_stake_cents"] is None
    assert desk.balance(user) == 1_000_000 - 1_600


def test_bets_of_one_commit_count_against_each_other(desk: Desk) -> None:
    user = desk.player()
    limit(desk, user, stake_day_max_cents=1_600)
    outcomes = desk.place(*(desk.bet(user, amount=1000, rows=rows) for rows in (0, 1)), desk.bet(user, rows=2))
    assert [outcome.code for outcome in outcomes] == [None, "LIMIT_REACHED", None]
    assert said(outcomes[1])["left_cents"] == 600
    assert len({outcome.data["bet"]["placed_at"] for outcome in (outcomes[0], outcomes[2])}) == 1
    assert desk.balance(user) == 1_000_000 - 1_100


def test_the_arguments_reach_the_caller(desk: Desk) -> None:
    user = desk.player()
    limit(desk, user, stake_day_max_cents=50)
    raised = refusal_of(tap(desk, user, 100))
    problem = raised.problem("r1")
    assert (problem["status"], problem["code"], problem["left_cents"]) == (403, "LIMIT_REACHED", 50)
    assert problem["until_ms"] == MIDNIGHT_MS


def test_what_comes_back_counts_against_the_loss_of_the_day_only(desk: Desk) -> None:
    user = desk.player()
    limit(desk, user, loss_day_max_cents=1_000)
    bet = desk.bet(user, amount=1000)
    assert desk.place(bet)[0].code is None
    assert said(tap(desk, user, 100, columns=4))["left_cents"] == 0
    cell = parse_cell(bet.cell_id, RULES)
    assert cell is not None
    desk.settle(cell.start_s, PRICE_CENTS, PRICE_CENTS, covered=False)
    assert tap(desk, user, 1000, columns=4).code is None


def test_a_new_day_opens_the_limit_again(desk: Desk) -> None:
    user = desk.player()
    limit(desk, user, stake_day_max_cents=100)
    assert tap(desk, user, 100).code is None
    assert tap(desk, user, 100, rows=1).code == "LIMIT_REACHED"
    desk.clock.advance(MIDNIGHT_MS - desk.clock.now_ms())
    desk.show(PRICE_CENTS)
    assert tap(desk, user, 100).code is None


def test_a_cool_off_leaves_nothing_and_says_when_it_ends(desk: Desk) -> None:
    user = desk.player()
    until_ms = desk.clock.now_ms() + 3_600_000
    limit(desk, user, cool_off_until_ms=until_ms)
    assert said(tap(desk, user, 100)) == {
        "limit": "cool_off_until_ms",
        "left_cents": 0,
        "max_stake_cents": None,
        "until_ms": until_ms,
    }
    desk.clock.advance(3_600_000)
    desk.show(PRICE_CENTS)
    assert tap(desk, user, 100).code is None


NOON_MS = 1_790_000_000_000
CASES = [
    pytest.param(PlayerLimits(), 100, None, id="none"),
    pytest.param(PlayerLimits(stake_day_max_cents=700), 200, None, id="just fits"),
    pytest.param(PlayerLimits(stake_day_max_cents=699), 200, ("stake_day_max_cents", 199), id="a cent short"),
    pytest.param(PlayerLimits(stake_day_max_cents=400), 200, ("stake_day_max_cents", 0), id="passed already"),
    pytest.param(PlayerLimits(loss_day_max_cents=300), 200, ("loss_day_max_cents", 100), id="loss"),
    pytest.param(PlayerLimits(600, 290), 200, ("loss_day_max_cents", 90), id="the tighter of two"),
    pytest.param(PlayerLimits(600, 290), 95, ("loss_day_max_cents", 90), id="only one of two"),
    pytest.param(PlayerLimits(cool_off_until_ms=NOON_MS + 1), 1, ("cool_off_until_ms", 0), id="cool-off"),
    pytest.param(PlayerLimits(cool_off_until_ms=NOON_MS), 1, None, id="cool-off is over"),
    pytest.param(
        PlayerLimits(cool_off_until_ms=NOON_MS + 2, excluded_until_ms=NOON_MS + 1),
        1,
        ("cool_off_until_ms", 0),
        id="the longer pause",
    ),
    pytest.param(
        PlayerLimits(1, 1, NOON_MS + 1, NOON_MS + 9), 5, ("excluded_until_ms", 0), id="a pause before an amount"
    ),
]


@pytest.mark.parametrize(("limits", "stake", "expected"), CASES)
def test_the_limit_that_refuses_is_named_with_what_it_leaves(
    limits: PlayerLimits, stake: int, expected: tuple[str, int] | None
) -> None:
    found = refusal(limits, stake, staked_cents=500, returned_cents=300, now_ms=NOON_MS)
    assert (None if found is None else (found.limit, found.left_cents)) == expected
