"""Settlement by the writer: who wins, what is paid, what a second run does, and how bets go on meanwhile."""

from __future__ import annotations

import pytest

from jobs.writer import settle
from runtime.audit import audit
from runtime.game.bets import COLUMNS
from runtime.game.ledger import SQL
from runtime.game.money import payout_cents
from runtime.game.statements import UNASKED
from runtime.messaging import queues
from runtime.messaging.commands import PlaceBet
from tests.jobs.writer.dying_slices import settle_and_die
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

pytestmark = pytest.mark.engines

LOW = PRICE_CENTS - PRICE_CENTS % RULES.row_step_cents
HIGH = LOW + RULES.row_step_cents


def column_of_bet(bet: PlaceBet) -> int:
    return int(bet.cell_id.split("_")[0])


@pytest.mark.parametrize(
    ("low", "high", "covered", "status"),
    [
        pytest.param(LOW + 100, LOW + 200, True, "won", id="inside"),
        pytest.param(LOW - 900, LOW, True, "won", id="touches the lower bound"),
        pytest.param(HIGH, HIGH + 900, True, "won", id="touches the upper bound"),
        pytest.param(LOW - 900, HIGH + 900, True, "won", id="jumped across"),
        pytest.param(LOW - 900, LOW - 1, True, "lost", id="a cent below"),
        pytest.param(HIGH + 1, HIGH + 900, True, "lost", id="a cent above"),
        pytest.param(LOW + 100, LOW + 200, False, "void", id="not covered"),
    ],
)
def test_a_bet_ends_by_the_windows_extremes(desk: Desk, low: int, high: int, covered: bool, status: str) -> None:
    user = desk.player()
    bet = desk.bet(user, amount=500)
    rate = desk.place(bet)[0].data["bet"]["reward_rate"]
    desk.settle(column_of_bet(bet), low, high, covered=covered)
    row = desk.database.dicts("SELECT * FROM bets WHERE id = ?", (bet.id,))[0]
    assert row["status"] == status
    due = payout_cents(500, rate)
    assert row["payout_amount"] == {"won": due, "lost": 0, "void": 0}[status]
    assert desk.balance(user) == 1_000_000 - 500 + {"won": due, "lost": 0, "void": 500}[status]
    assert audit(desk.database).faults == []


def test_settlement_reads_of_a_bet_all_but_what_its_end_asks_nothing_of(desk: Desk) -> None:
    desk.place(*(desk.bet(desk.player(number), rows=number) for number in (1, 2)))
    read = [dict(zip(COLUMNS, row, strict=True)) for row in desk.database.execute(SQL["ending_bets"], ("[2, 1]",))]
    stored = desk.database.dicts("SELECT * FROM bets ORDER BY seq")
    assert len(read) == len(stored) == 2
    for one, whole in zip(read, stored, strict=True):
        assert {name for name in COLUMNS if one[name] != whole[name]} <= UNASKED.keys()
        assert (one["signature"], one["nonce"], one["signer"]) == ("", "", "")
        assert whole["signature"].startswith("sealed:")


def test_settling_again_moves_no_money(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.place(bet)
    desk.settle(column_of_bet(bet), PRICE_CENTS, PRICE_CENTS)
    before = desk.balance(user)
    assert desk.settle(column_of_bet(bet), 1, 2).data["begun"] is False
    assert desk.balance(user) == before
    assert audit(desk.database).faults == []


def test_no_bet_enters_a_column_that_began_to_settle(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user, columns=5)
    desk.settle(column_of_bet(bet), 1, 2)
    assert desk.place(bet)[0].code == "CELL_CLOSED"
    assert desk.place(desk.bet(user, columns=4))[0].code == "CELL_CLOSED"
    assert desk.place(desk.bet(user, columns=6))[0].code is None


def test_a_clock_that_steps_back_reopens_nothing(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user, columns=2)
    desk.clock.advance(15_000)
    desk.show(PRICE_CENTS)
    desk.player(2)
    desk.clock.wall_ms -= 15_000
    assert desk.place(bet)[0].code == "BET_EXPIRED"
    assert desk.writer.book.now_ms() >= desk.clock.wall_ms + 15_000


def test_a_column_settles_in_slices_with_bets_between_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "SLICE_BETS", 3)
    monkeypatch.setattr(settle, "BESIDE_PLACING", 0)
    users = [desk.player(number) for number in range(1, 9)]
    bets = [desk.bet(user) for user in users]
    desk.place(*bets)
    start_s = column_of_bet(bets[0])
    late = desk.bet(users[0], columns=8)
    desk.queue(late, name=queues.BETS)
    desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    ended = {row[0] for row in desk.database.execute("SELECT resolved_commit FROM bets WHERE status = 'won'")}
    placed = desk.database.execute("SELECT placed_commit FROM bets WHERE id = ?", (late.id,))[0][0]
    assert len(ended) == 3
    assert placed < max(ended)
    assert desk.database.execute("SELECT settled_commit FROM columns") == [(max(ended),)]
    assert audit(desk.database).faults == []


@pytest.mark.parametrize(
    ("beside", "ended"),
    [
        pytest.param(0, 6, id="alone"),
        pytest.param(1, 4, id="fewer beside bets"),
        pytest.param(4, 5, id="never slower than bets are placed"),
    ],
)
def test_a_slice_leaves_room_for_bets(desk: Desk, monkeypatch: pytest.MonkeyPatch, beside: float, ended: int) -> None:
    monkeypatch.setattr(settle, "SLICE_BETS", 6)
    monkeypatch.setattr(settle, "BESIDE_PLACING", 2)
    bets = [desk.bet(desk.player(number), rows=-number % 3) for number in range(1, 10)]
    desk.place(*bets)
    settlement = desk.writer.settlement
    settlement.open = [settle.Progress(column_of_bet(bets[0]), True, LOW, LOW, list(range(1, 10)))]
    with desk.writer.book.commit(lambda _: None) as commit:
        settlement.slice(commit, beside=beside)
    rows = desk.database.execute("SELECT seq FROM bets WHERE status <> 'confirmed' ORDER BY resolved_place")
    assert [seq for (seq,) in rows] == list(range(1, ended + 1)), "in the order in which they were placed"


def test_a_writer_that_died_between_slices_goes_on_where_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [desk.player(number) for number in range(1, 9)]
    bets = [desk.bet(user) for user in users]
    desk.place(*bets)
    column_s = column_of_bet(bets[0])
    settle_and_die(desk, monkeypatch, lambda: desk.settle(column_s, PRICE_CENTS, PRICE_CENTS))
    won = desk.database.execute("SELECT resolved_commit, count(*) FROM bets WHERE status = 'won' GROUP BY 1 ORDER BY 1")
    first = won[0][0]
    assert won == [(first, 3), (first + 1, 3), (first + 2, 2)], (
        "what had ended is passed over in the commit of the next"
    )
    assert audit(desk.database).faults == []


def test_exposure_is_freed_when_bets_end(desk: Desk) -> None:
    user = desk.player()
    bet = desk.bet(user)
    desk.place(bet)
    assert desk.writer.book.exposure.total_cents > 0
    desk.settle(column_of_bet(bet), 1, 2)
    assert desk.writer.book.exposure.total_cents == 0
