"""The count itself: for each way to lose, double or misplace something, it says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from taptrade.views import BetView, SignedBet
from taptrade.wallet import Audience
from tests.chaos.attempts import Answer, Attempt, Movement, Problem
from tests.chaos.count import Tally, count
from tests.chaos.players import Player
from tests.chaos.record import BetRow, Record

CREDIT = 1_000
CELL = "100_500_1000"
SIGNED = SignedBet(CELL, 100, 15_000, "nonce123", 90, "0x" + "1" * 128)
VIEW = BetView("bet-1", "confirmed", CELL, 100, reward_rate=20_000)
ROW = BetRow("bet-1", "user", CELL, 100, 20_000, 15_000, "won", 200, "nonce123", 2, 0, 3, 0)
Change = Callable[[Player, Record], object]


def player() -> Player:
    """A player whose one bet was confirmed and won, and who deposited once."""
    made = Player("http://127.0.0.1:1", Audience("d", "http://d", 1), Random(1), kind="guest", patient=1, report=print)
    made.client.close()
    made.user_id = "user"
    attempt = Attempt(SIGNED, 0)
    attempt.hear(Answer(201, bet=VIEW), "kill writer")
    made.attempts.append(attempt)
    made.movements.append(Movement("DEPOSIT", "key", 100, done=True))
    made.bets = {CELL: BetView("bet-1", "won", CELL, 100, reward_rate=20_000, payout_amount=200)}
    made.balance_cents = 1_200
    made.ear.hearing.spots = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]
    made.ear.hearing.statuses = [("bet-1", "confirmed"), ("bet-1", "won")]
    return made


def record(owned_by: Player) -> Record:
    """The database that bears all of that out."""
    made = Record()
    made.addresses["user"] = owned_by.owner.address
    made._add_bet(ROW)
    made.of_bet["bet-1"] = {"BET": [-100], "PAYOUT": [200]}
    made.of_user["user", "DEPOSIT"] = [CREDIT, 100]
    made.balances["user"] = 1_200
    made.spots["user"] = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]
    return made


def tally_after(change: Change) -> tuple[Tally, list[str]]:
    the_player = player()
    the_record = record(the_player)
    change(the_player, the_record)
    counting = count([the_player], the_record, credit_cents=CREDIT, accounts="accounts")
    return counting.total, counting.sentences


def test_what_is_right_adds_up_and_belongs_to_its_fault() -> None:
    the_player = player()
    counting = count([the_player], record(the_player), credit_cents=CREDIT, accounts="accounts")
    assert counting.adds_up, counting.sentences
    assert counting.by_fault["kill writer"] == Tally(acknowledged=1, by_browsers=1)


def row_becomes(**changes: object) -> Change:
    def change(_: Player, made: Record) -> None:
        changed = replace(ROW, **changes)  # type: ignore[arg-type]
        made.bets["bet-1"] = changed
        made.by_nonce.clear()
        made.by_nonce[changed.user_id, changed.nonce].append(changed)

    return change


def attempt_becomes(**changes: object) -> Change:
    def change(made: Player, _: Record) -> None:
        for name, value in changes.items():
            setattr(made.attempts[0], name, value)

    return change


def forget_bet(_: Player, made: Record) -> None:
    made.bets.clear()
    made.by_nonce.clear()


def place_twice(_: Player, made: Record) -> None:
    other = replace(ROW, id="bet-2")
    made.bets["bet-2"] = other
    made.by_nonce["user", "nonce123"].append(other)
    made.of_bet["bet-2"] = {"BET": [-100], "PAYOUT": [200]}


def invent_bet(_: Player, made: Record) -> None:
    made.bets["bet-2"] = replace(ROW, id="bet-2", nonce="another1")


def unplace(made: Player, _: Record) -> None:
    made.attempts[0] = Attempt(SIGNED, 0)
    made.attempts[0].hear(Answer(409, "RATE_MOVED"), "kill writer")


def wait_for_wallet(made: Player, _: Record) -> None:
    made.owner.kind = "guest who gets a wallet"


@pytest.mark.parametrize(
    ("change", "field", "number"),
    [
        pytest.param(forget_bet, "lost", 1, id="a confirmed bet is gone"),
        pytest.param(row_becomes(amount=500), "lost", 1, id="a confirmed bet has another stake"),
        pytest.param(row_becomes(reward_rate=19_000), "lost", 1, id="a confirmed bet has another rate"),
        pytest.param(attempt_becomes(never_placed={"bet-1"}), "lost", 1, id="never placed, and placed"),
        pytest.param(unplace, "lost", 1, id="refused, and placed"),
        pytest.param(attempt_becomes(fate=""), "pending_for_ever", 1, id="a fate that nobody learns"),
        pytest.param(row_becomes(status="confirmed"), "pending_for_ever", 1, id="a bet that is never settled"),
        pytest.param(place_twice, "duplicated", 1, id="one nonce, two bets"),
        pytest.param(invent_bet, "duplicated", 1, id="a bet that nobody asked for"),
        pytest.param(lambda _, made: made.of_bet["bet-1"]["PAYOUT"].append(200), "duplicated", 1, id="paid twice"),
        pytest.param(lambda _, made: made.of_bet["bet-1"].pop("PAYOUT"), "drift_cents", 200, id="not paid"),
        pytest.param(lambda _, made: made.of_user["user", "DEPOSIT"].append(100), "duplicated", 1, id="credited twice"),
        pytest.param(lambda _, made: made.of_user["user", "DEPOSIT"].pop(), "lost", 1, id="a deposit is gone"),
        pytest.param(lambda _, made: made.balances.update(user=1_150), "drift_cents", 50, id="a balance that is off"),
        pytest.param(lambda _, made: made.addresses.update(user="0x1"), "lost", 1, id="an account is another's"),
        pytest.param(wait_for_wallet, "pending_for_ever", 1, id="an account that its wallet never gets"),
        pytest.param(
            lambda made, _: setattr(made, "balance_cents", 1_201), "drift_cents", 1, id="told another balance"
        ),
        pytest.param(lambda made, _: made.ear.hearing.spots.pop(), "events_missing", 1, id="events missing"),
        pytest.param(lambda made, _: made.ear.hearing.spots.append((3, 1)), "events_repeated", 1, id="events repeated"),
        pytest.param(
            lambda made, _: made.ear.hearing.spots.reverse(), "events_disordered", 5, id="events out of order"
        ),
    ],
)
def test_each_wrong_is_counted_and_said(change: Change, field: str, number: int) -> None:
    total, sentences = tally_after(change)
    assert getattr(total, field) == number
    assert not total.adds_up
    assert sentences


def test_a_lost_answer_is_only_decided_by_one_about_the_bet_itself() -> None:
    attempt = Attempt(SIGNED, 0)
    fates: list[str] = []
    for answer in (
        Answer(0, "ReadError"),
        Answer(409, "CELL_CLOSED"),
        Answer(409, "REPLAYED_NONCE", problem=Problem(bet=VIEW)),
    ):
        attempt.hear(answer, "kill api")
        fates.append(attempt.fate)
    assert fates == ["", "", "placed"]


def test_what_a_snapshot_stands_for_is_not_missing() -> None:
    hearing = player().ear.hearing
    hearing.spots = [(1, 0), (3, 1)]
    hearing.excused = [((1, 0), (3, 0))]
    assert hearing.missing([(1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (4, 0)]) == [(4, 0)]
