"""What tests do with a trial: bets are placed by players, end as a test says, and are told as the house tells them."""

from __future__ import annotations

import pytest

from runtime.audit import audit
from runtime.game.settlement import Result
from runtime.records.views import BetView
from taptrade.trial import BetRefused, CannotSettle, Trial

ENDS: tuple[Result, ...] = ("won", "lost", "void")


def test_bets_end_as_a_test_says_and_are_told_of_as_they_happen(trial: Trial) -> None:
    player = trial.sign_in(credit_cents=1_000)
    bets = {ended: trial.bet(player, stake_cents=100) for ended in ENDS}
    told = [trial.settle(bets[ended], ended) for ended in ENDS]
    assert [one.kind for one in told] == ["bet.won", "bet.lost", "bet.void"]
    seen = {one.data["id"]: one.read(BetView) for one in told}
    payout = seen[bets["won"].id].payout_amount or 0
    assert payout == bets["won"].reward_rate * 100 // 10_000
    assert trial.call("GET", "/api/me", headers=player).json["user"]["balance"] == 1_000 - 200 + payout
    listed = {one["id"]: one["status"] for one in trial.call("GET", "/api/bets", headers=player).json["bets"]}
    assert listed == {bet.id: ended for ended, bet in bets.items()}
    assert [one.data["id"] for one in trial.events("bet.confirmed")] == [bet.id for bet in bets.values()]
    assert [one.kind for one in trial.events()].count("column") == 3
    assert audit(trial.bench.database).faults == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1)])
def test_what_was_recorded_proves_each_end_in_whatever_order_they_came(trial: Trial, order: tuple[int, ...]) -> None:
    player = trial.sign_in()
    bets = {ended: trial.bet(player) for ended in ENDS}
    for number in order:
        trial.settle(bets[ENDS[number]], ENDS[number])
    for ended, bet in bets.items():
        answer = trial.call("GET", f"/api/bets/{bet.id}?verify=true", headers=player).json
        assert (answer["bet"]["status"], answer["evidence"]["covered"]) == (ended, ended != "void")
        assert (answer["proof"]["ok"], answer["proof"]["window"]["ok"]) == (True, True), answer["proof"]["window"]


def test_neighbouring_columns_end_by_prices_of_their_own(trial: Trial) -> None:
    player = trial.sign_in()
    first = trial.bet(player)
    width_s = trial.settings.column_seconds
    second = trial.bet(player, f"{first.column_start_s + width_s}_{first.low_cents}_{first.high_cents}")
    assert trial.settle(second, "won").kind == "bet.won"
    assert trial.settle(first, "lost").kind == "bet.lost"
    third = trial.bet(player)
    fourth = trial.bet(player, f"{third.column_start_s + width_s}_{third.low_cents}_{third.high_cents}")
    assert trial.settle(third, "won").kind == "bet.won"
    assert trial.settle(fourth, "lost").kind == "bet.lost"


def test_all_bets_on_a_column_end_by_the_same_prices(trial: Trial) -> None:
    player, other = trial.sign_in(), trial.sign_in()
    bet = trial.bet(player)
    beside = trial.bet(other, bet.cell_id)
    assert trial.settle(bet, "won") == trial.settle(bet, "won")
    assert trial.settle(beside, "won").user_id != trial.settle(bet, "won").user_id
    with pytest.raises(CannotSettle, match=r"cannot end as lost: it has bet\.won"):
        trial.settle(beside, "lost")


def test_a_bet_that_is_refused_is_told_too(trial: Trial) -> None:
    poor = trial.sign_in(credit_cents=50)
    with pytest.raises(BetRefused, match="INSUFFICIENT_FUNDS") as refused:
        trial.bet(poor, stake_cents=100)
    assert refused.value.problem["status"] == 402
    [event] = trial.events("bet.insufficient_funds")
    assert event.read(BetView).amount == 100
    with pytest.raises(BetRefused, match="CELL_UNKNOWN"):
        trial.bet(poor, "1_2_3")
    with pytest.raises(ValueError, match="the key of this session is not here"):
        trial.bet({"Authorization": "Bearer x"})
