"""Placing bets: what is confirmed, what is refused, and what either leaves in the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.game.limits import RiskLimits
from runtime.game.money import payout_cents
from tests.jobs.writer_desk import PRICE_CENTS, Desk

pytestmark = pytest.mark.engines


def test_a_bet_is_paid_for_entered_and_confirmed_in_one_commit(desk: Desk) -> None:
    user = desk.player()
    outcome = desk.place(desk.bet(user))[0]
    assert outcome.code is None
    assert outcome.data["bet"]["status"] == "confirmed"
    assert outcome.data["balance"] == 999_900 == desk.balance(user)
    entry = desk.database.dicts("SELECT * FROM transaction_ledger WHERE ref_type = 'BET'")[0]
    assert (entry["amount"], entry["balance_after"], entry["ref_id"]) == (-100, 999_900, outcome.id)
    assert entry["commit_number"] == outcome.data["bet"]["placed_commit"]


def test_the_rate_is_that_of_the_freshest_tick_and_can_be_recomputed_from_the_row(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user, min_rate_bp=10_000)
    tick = desk.show(PRICE_CENTS + 700)
    view = desk.place(bet)[0].data["bet"]
    row = desk.database.dicts("SELECT * FROM bets WHERE id = ?", (bet.id,))[0]
    model = desk.writer.rules.model
    cell_low = row["low_cents"]
    from runtime.game.grid import Cell

    again = model.rate_bp(Cell(row["column_start_s"], cell_low, row["high_cents"]), tick, row["model_now_ms"])
    assert view["reward_rate"] == again == row["reward_rate"]
    assert (row["tick_id"], row["tick_close"], row["volatility"]) == (tick.id, tick.close, 300.0)
    assert (row["model_id"], row["model_version"]) == (model.id, model.version)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"cell_id": "1790000015_7_507"}, "CELL_UNKNOWN", id="not on the lattice"),
        pytest.param({"amount": 101}, "STAKE_NOT_ALLOWED", id="no preset"),
        pytest.param({"min_rate_bp": 900_000}, "RATE_MOVED", id="below the floor"),
        pytest.param({"rows": 400}, "CELL_NOT_OFFERED", id="too far to have a rate"),
        pytest.param({"columns": 0}, "CELL_CLOSED", id="the current column"),
        pytest.param({"decided_by_ms": 1_789_999_999_999}, "BET_EXPIRED", id="too late"),
    ],
)
def test_a_refused_bet_is_stored_with_its_code_and_moves_no_money(
    desk: Desk, changes: dict[str, Any], code: str
) -> None:
    user = desk.player()
    bet = desk.bet(user, **{"decided_by_ms": desk.clock.now_ms() + 9_000, **changes})
    outcome = desk.place(bet)[0]
    assert outcome.code == code
    stored = desk.database.execute("SELECT status, refusal_code FROM bets WHERE id = ?", (bet.id,))
    assert stored == [("refused", code)]
    assert desk.balance(user) == 1_000_000
    assert desk.database.execute("SELECT count(*) FROM transaction_ledger WHERE ref_type = 'BET'") == [(0,)]


def test_no_bet_is_filled_on_an_old_tick_or_on_none(desk: Desk) -> None:
    user = desk.player()
    desk.clock.advance(1501)
    assert desk.place(desk.bet(user))[0].code == "PRICE_FEED_STALE"
    desk.client.delete("tick:latest")
    assert desk.place(desk.bet(user))[0].code == "PRICE_FEED_STALE"
    desk.show(PRICE_CENTS)
    assert desk.place(desk.bet(user))[0].code is None


def test_a_short_balance_is_an_outcome_and_the_rest_of_the_batch_goes_on(desk: Desk) -> None:
    poor, rich = desk.player(1, cents=150), desk.player(2)
    outcomes = desk.place(desk.bet(poor), desk.bet(poor, rows=1), desk.bet(rich))
    assert [outcome.code for outcome in outcomes] == [None, "INSUFFICIENT_FUNDS", None]
    assert desk.balance(poor) == 50
    statuses = desk.database.execute("SELECT status FROM bets ORDER BY seq")
    assert statuses == [("confirmed",), ("insufficient_funds",), ("confirmed",)]


def test_a_hundred_bets_at_once_never_overspend(desk: Desk) -> None:
    user = desk.player(1, cents=1_050)
    bets = [desk.bet(user, columns=3 + number % 9, rows=number // 9 - 5) for number in range(100)]
    outcomes = desk.place(*bets)
    confirmed = [outcome for outcome in outcomes if outcome.code is None]
    assert len(confirmed) == 10
    assert desk.balance(user) == 50


def test_one_live_bet_per_cell_within_a_batch_and_after_it(desk: Desk) -> None:
    user = desk.player()
    first, second, third = desk.bet(user), desk.bet(user), desk.bet(user)
    outcomes = desk.place(first, second)
    assert [outcome.code for outcome in outcomes] == [None, "DUPLICATE_BET"]
    assert outcomes[1].data["bet"]["id"] == first.id
    assert desk.place(third)[0].data["bet"]["id"] == first.id
    assert desk.balance(user) == 999_900


def test_a_refused_bet_does_not_block_a_later_one(desk: Desk) -> None:
    user = desk.player()
    assert desk.place(desk.bet(user, min_rate_bp=900_000))[0].code == "RATE_MOVED"
    assert desk.place(desk.bet(user))[0].code is None


def test_the_same_bet_again_gets_the_stored_outcome(desk: Desk) -> None:
    user = desk.player()
    bet, refused = desk.bet(user), desk.bet(user, rows=1, min_rate_bp=900_000)
    first = desk.place(bet, refused)
    desk.client.delete("replies:test")
    second = desk.place(bet, refused)
    assert [outcome.code for outcome in second] == [None, "RATE_MOVED"]
    assert [outcome.data for outcome in second] == [outcome.data for outcome in first]
    assert desk.database.execute("SELECT count(*) FROM bets") == [(2,)]


def test_exposure_is_exact_and_the_refusal_says_what_still_fits(desk: Desk) -> None:
    desk.close()
    desk.risk = RiskLimits(1_000_000, 6_000, 100_000_000, 1_000_000_000)
    desk.__post_init__()
    one, two = desk.player(1), desk.player(2)
    rate = desk.place(desk.bet(one, amount=1000))[0].data["bet"]["reward_rate"]
    room = 6_000 - payout_cents(1000, rate)
    outcome = desk.place(desk.bet(two, amount=10_000))[0]
    assert outcome.code == "EXPOSURE_LIMIT"
    fitting = [stake for stake in desk.presets if payout_cents(stake, rate) <= room]
    assert outcome.data["max_stake_cents"] == max(fitting)
    assert desk.place(desk.bet(two, amount=max(fitting)))[0].code is None
