"""A player's limits of deposits and their pauses at the writer's desk, whoever sends the money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runtime.audit import audit
from runtime.game.grid import parse_cell
from runtime.messaging.commands import Adjust, Deposit, Outcome, SetLimits, Withdraw
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

pytestmark = pytest.mark.engines

HOUR_MS = 3_600_000
DAY_MS, WEEK_MS = 24 * HOUR_MS, 7 * 24 * HOUR_MS


@pytest.fixture
def user(desk: Desk) -> Iterator[str]:
    """Return an account whose books must be right in the end."""
    yield desk.player()
    assert audit(desk.database).faults == []


def common(desk: Desk) -> dict[str, Any]:
    now_ms = desk.clock.now_ms()
    return {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}


def limit(desk: Desk, user_id: str, **limits: int | None) -> None:
    assert desk.do(SetLimits(user_id=user_id, **{**common(desk), **limits}))[0].code is None


def deposit(desk: Desk, user_id: str, amount: int, reference: str = "") -> Deposit:
    times = common(desk)
    return Deposit(user_id=user_id, amount=amount, reference=reference or times["id"], who="o", why="w", **times)


def said(outcome: Outcome) -> tuple[str, int, int | None]:
    assert outcome.code == "LIMIT_REACHED"
    return outcome.data["limit"], outcome.data["left_cents"], outcome.data["until_ms"]


def pay(desk: Desk, user_id: str, amount: int, reference: str = "") -> Outcome:
    return desk.do(deposit(desk, user_id, amount, reference))[0]


def test_deposits_count_for_24_hours_and_the_refusal_says_when_enough_has_left(desk: Desk, user: str) -> None:
    limit(desk, user, deposit_day_max_cents=1_000)
    first_ms = desk.clock.now_ms()
    assert pay(desk, user, 300).code is None
    desk.clock.advance(HOUR_MS)
    assert pay(desk, user, 600).code is None
    assert said(pay(desk, user, 200)) == ("deposit_day_max_cents", 100, first_ms + DAY_MS)
    assert said(pay(desk, user, 401)) == ("deposit_day_max_cents", 100, first_ms + HOUR_MS + DAY_MS)
    assert said(pay(desk, user, 1_001)) == ("deposit_day_max_cents", 100, None), "no waiting helps"
    assert pay(desk, user, 100).code is None
    desk.clock.wall_ms = first_ms + DAY_MS - 1
    assert said(pay(desk, user, 200)) == ("deposit_day_max_cents", 0, first_ms + DAY_MS)
    desk.clock.advance(1)
    assert pay(desk, user, 200).code is None
    assert desk.balance(user) == 1_000_000 + 1_200


def test_deposits_count_for_seven_days(desk: Desk, user: str) -> None:
    limit(desk, user, deposit_day_max_cents=500, deposit_week_max_cents=1_100)
    first_ms = desk.clock.now_ms()
    for _ in range(2):
        assert pay(desk, user, 500).code is None
        desk.clock.advance(DAY_MS)
    assert said(pay(desk, user, 500)) == ("deposit_week_max_cents", 100, first_ms + WEEK_MS)
    assert pay(desk, user, 100).code is None
    assert said(pay(desk, user, 1)) == ("deposit_week_max_cents", 0, first_ms + WEEK_MS)
    desk.clock.wall_ms = first_ms + WEEK_MS
    assert pay(desk, user, 500).code is None


def test_deposits_of_one_commit_count_against_each_other(desk: Desk, user: str) -> None:
    limit(desk, user, deposit_day_max_cents=1_000)
    outcomes = desk.do(*(deposit(desk, user, 600) for _ in range(2)), deposit(desk, user, 400))
    assert [outcome.code for outcome in outcomes] == [None, "LIMIT_REACHED", None]


def test_a_credited_reference_is_answered_as_before_and_a_refused_one_is_free(desk: Desk, user: str) -> None:
    limit(desk, user, deposit_day_max_cents=600)
    first = pay(desk, user, 600, "psp-1")
    rows = desk.database.execute("SELECT count(*) FROM commits")
    assert pay(desk, user, 600, "psp-2").code == "LIMIT_REACHED"
    assert desk.database.execute("SELECT count(*) FROM commits") == rows, "a refusal leaves nothing"
    again = pay(desk, user, 600, "psp-1")
    assert (again.code, again.data) == (None, {**first.data, "repeat": True})
    desk.clock.advance(DAY_MS)
    assert pay(desk, user, 600, "psp-2").code is None


def test_neither_the_demo_credit_nor_what_is_no_deposit_counts(desk: Desk, user: str) -> None:
    limit(desk, user, deposit_week_max_cents=100)
    adjusted = Adjust(user_id=user, amount=700, reference="fix", who="o", why="w", **common(desk))
    assert [outcome.code for outcome in desk.do(adjusted, deposit(desk, user, 100))] == [None, None]
    other = desk.player(2)
    assert pay(desk, other, 10_000).code is None, "of another's limit"
    assert said(pay(desk, user, 1))[:2] == ("deposit_week_max_cents", 0)


def test_deposits_from_before_a_limit_count_for_it(desk: Desk, user: str) -> None:
    assert pay(desk, user, 900).code is None
    limit(desk, user, deposit_day_max_cents=1_000)
    assert said(pay(desk, user, 101))[:2] == ("deposit_day_max_cents", 100)


@pytest.mark.parametrize("pause", ["cool_off_until_ms", "excluded_until_ms"])
def test_a_pause_refuses_bets_and_deposits_and_leaves_the_rest(desk: Desk, user: str, pause: str) -> None:
    """What was bet before it is settled and paid, and money goes out."""
    bet = desk.bet(user, amount=1000)
    [placed] = desk.place(bet)
    until_ms = desk.clock.now_ms() + DAY_MS
    limit(desk, user, **{pause: until_ms})
    assert said(desk.place(desk.bet(user, rows=1))[0])[0] == pause
    assert said(pay(desk, user, 100, "psp-1")) == (pause, 0, until_ms)
    cell = parse_cell(bet.cell_id, RULES)
    assert cell is not None
    desk.settle(cell.start_s, PRICE_CENTS, PRICE_CENTS)
    won = 1_000 * placed.data["bet"]["reward_rate"] // 10_000
    assert desk.balance(user) == 1_000_000 - 1_000 + won
    nonce = desk.new_id()
    withdrawal = Withdraw(user_id=user, amount=400, nonce=nonce, signed_at_s=1, signature="0x", **common(desk))
    assert desk.do(withdrawal)[0].code is None
    desk.clock.wall_ms = until_ms
    desk.show(PRICE_CENTS)
    assert pay(desk, user, 100, "psp-1").code is None
    assert desk.place(desk.bet(user))[0].code is None


def test_a_lifted_limit_of_deposits_counts_for_a_day_more(desk: Desk, user: str) -> None:
    limit(desk, user, deposit_day_max_cents=100)
    limit(desk, user, deposit_day_max_cents=None)
    desk.clock.advance(DAY_MS - 1)
    assert pay(desk, user, 101).code == "LIMIT_REACHED"
    desk.clock.advance(1)
    assert pay(desk, user, 101).code is None


def test_only_limits_of_a_day_have_todays_entries_read(desk: Desk, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bet of a player with other limits costs what any bet costs."""
    asked: list[str] = []
    execute = desk.database.execute

    def noted(sql: str, params: Any = ()) -> Any:
        asked.append(sql)
        return execute(sql, params)

    monkeypatch.setattr(desk.database, "execute", noted)
    counts = []
    for rows, limits in enumerate(
        ({}, {"stake_max_cents": 100, "deposit_day_max_cents": 9, "reality_check_minutes": 5})
    ):
        limit(desk, user, **limits)
        assert desk.place(desk.bet(user, rows=rows))[0].code is None
        asked.clear()
        assert desk.place(desk.bet(user, rows=rows + 2))[0].code is None
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0
    assert desk.place(desk.bet(user, rows=4, amount=500))[0].data["max_stake_cents"] == 100
