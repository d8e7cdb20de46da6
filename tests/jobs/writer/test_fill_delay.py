"""The fill delay in the writer: a bet waits for a tick from after it, others pass, and each is decided once."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.writer.inbox import BETS_SLICE
from runtime.audit import audit
from runtime.messaging import queues, redis_keys
from runtime.messaging.commands import OpenAccount
from tests.jobs.writer_desk import PRICE_CENTS, Desk

pytestmark = pytest.mark.engines

DELAY_MS = 500
MAX_FILL_AGE_MS = 1_500


def backlog(desk: Desk) -> int:
    """Return how many bets wait for the writer, as the API counts them."""
    value: Any = desk.client.get(redis_keys.BACKLOG_BETS)
    return int(value or 0)


def queue_bet(desk: Desk, user_id: str, **changes: Any) -> str:
    """Queue a bet that has to wait; its id."""
    bet = desk.bet(user_id, fill_delay_ms=DELAY_MS, **changes)
    desk.queue(bet, name=queues.BETS)
    return bet.id


def move_on(desk: Desk, ms: int, *, tick: bool = True) -> int:
    """Let time pass, then a tick come and the writer work; return the time."""
    desk.clock.advance(ms)
    if tick:
        desk.show(PRICE_CENTS)
    desk.work()
    return desk.clock.now_ms()


def test_it_is_filled_on_the_first_tick_from_after_the_wait_and_not_at_its_end(desk: Desk) -> None:
    bet_id = queue_bet(desk, desk.player())
    move_on(desk, DELAY_MS)
    assert bet_id not in desk.answers()
    tick_ms = move_on(desk, 1)
    assert desk.answers()[bet_id].data["bet"]["tick_id"] == tick_ms
    assert desk.database.execute("SELECT fill_delay_ms, tick_id - received_ms FROM bets") == [(DELAY_MS, DELAY_MS + 1)]


def test_a_tick_from_before_the_end_of_the_wait_fills_nothing_however_fresh_it_is(desk: Desk) -> None:
    bet_id = queue_bet(desk, desk.player())
    move_on(desk, DELAY_MS - 10)
    move_on(desk, 20, tick=False)
    assert bet_id not in desk.answers()
    assert desk.client.get(redis_keys.TICK_LATEST)


def test_others_pass_it(desk: Desk) -> None:
    user, other = desk.player(1), desk.player(2)
    waits = queue_bet(desk, user)
    desk.work()
    passes = desk.bet(other)
    assert desk.place(passes)[0].code is None
    now_ms = desk.clock.now_ms()
    login = OpenAccount(
        id=desk.new_id(),
        received_ms=now_ms,
        decided_by_ms=now_ms + 10_000,
        user_id=desk.new_id(),
        wallet_address=f"0x{9:040x}",
        credit_cents=1,
    )
    assert desk.do(login)[0].code is None
    assert waits not in desk.answers()
    move_on(desk, DELAY_MS + 1)
    assert desk.answers()[waits].code is None


@pytest.mark.parametrize(
    ("passed_ms", "code"),
    [
        pytest.param(DELAY_MS + MAX_FILL_AGE_MS, None, id="the last moment of waiting"),
        pytest.param(DELAY_MS + MAX_FILL_AGE_MS + 1, "PRICE_FEED_STALE", id="a millisecond more"),
    ],
)
def test_without_such_a_tick_it_is_refused_once_the_patience_after_the_wait_is_over(
    desk: Desk, passed_ms: int, code: str | None
) -> None:
    user = desk.player()
    bet_id = queue_bet(desk, user)
    # This tick is fresh enough for anybody else.
    move_on(desk, DELAY_MS)
    move_on(desk, passed_ms - DELAY_MS, tick=False)
    answered = desk.answers().get(bet_id)
    assert (answered.code if answered else None) == code
    assert desk.balance(user) == 1_000_000
    if code is None:
        move_on(desk, 0)
        assert desk.answers()[bet_id].code is None


def test_a_deadline_that_comes_sooner_ends_it_sooner(desk: Desk) -> None:
    bet_id = queue_bet(desk, desk.player(), decided_by_ms=desk.clock.now_ms() + 100)
    move_on(desk, 100, tick=False)
    assert bet_id not in desk.answers()
    move_on(desk, 1, tick=False)
    assert desk.answers()[bet_id].code == "BET_EXPIRED"


def test_what_waits_counts_in_the_backlog_until_it_is_decided(desk: Desk) -> None:
    queue_bet(desk, desk.player())
    desk.work()
    assert (backlog(desk), len(desk.writer.aside)) == (1, 1)
    desk.writer.inbox.recount()
    assert backlog(desk) == 1
    move_on(desk, DELAY_MS + 1)
    assert (backlog(desk), desk.writer.aside) == (0, [])
    desk.writer.inbox.recount()
    assert backlog(desk) == 0


def test_a_writer_that_dies_leaves_it_to_the_next_which_waits_too_and_places_it_once(desk: Desk) -> None:
    user = desk.player()
    bet_id = queue_bet(desk, user)
    desk.work()
    desk.hire()
    desk.work()
    assert (backlog(desk), bet_id in desk.answers()) == (1, False)
    move_on(desk, DELAY_MS + 1)
    desk.hire()
    desk.work()
    assert desk.answers()[bet_id].code is None
    assert desk.database.execute("SELECT count(*) FROM bets") == [(1,)]
    assert (desk.balance(user), backlog(desk)) == (999_900, 0)


def test_a_job_waits_for_the_last_of_its_bets_and_an_old_tick_fills_none_of_them(desk: Desk) -> None:
    user = desk.player()
    early = desk.bet(user, fill_delay_ms=DELAY_MS)
    late = desk.bet(user, rows=1, received_ms=early.received_ms + 50, fill_delay_ms=DELAY_MS)
    desk.queue(early, late, name=queues.BETS)
    move_on(desk, DELAY_MS + 1)
    assert not desk.answers().keys() & {early.id, late.id}
    move_on(desk, 50)
    assert [desk.answers()[bet.id].code for bet in (early, late)] == [None, None]


def test_a_tick_that_frees_many_is_worked_off_slice_by_slice(desk: Desk) -> None:
    users = [desk.player(number) for number in range(1, 8)]
    bets = [desk.bet(user, rows=row, fill_delay_ms=DELAY_MS) for user in users for row in range(-50, 50)]
    for at in range(0, len(bets), 100):
        desk.queue(*bets[at : at + 100], name=queues.BETS)
    desk.work()
    assert len(desk.writer.aside) == len(users)
    commits = desk.writer.book.number
    move_on(desk, DELAY_MS + 1)
    assert desk.writer.book.number == commits + 2
    sizes = desk.database.execute("SELECT count(*) FROM bets GROUP BY placed_commit ORDER BY placed_commit")
    assert sizes == [(BETS_SLICE,), (len(bets) - BETS_SLICE,)]
    assert audit(desk.database).faults == []


def test_without_a_delay_nothing_is_set_aside_and_nothing_more_is_stored(desk: Desk) -> None:
    user = desk.player()
    assert desk.place(desk.bet(user))[0].code is None
    assert desk.writer.aside == []
    assert desk.database.execute("SELECT fill_delay_ms FROM bets") == [(None,)]


@pytest.mark.parametrize("cents", [PRICE_CENTS + 40_000, PRICE_CENTS - 40_000])
def test_a_leap_that_came_back_during_the_wait_fills_nothing(desk: Desk, cents: int) -> None:
    user = desk.player(cents=1_000)
    bet_id = queue_bet(desk, user)
    desk.clock.advance(200)
    leap = desk.show(cents)
    desk.work()
    move_on(desk, DELAY_MS)
    answer = desk.answers()[bet_id]
    assert (answer.code, answer.data["grid_version"]) == ("RATE_MOVED", leap.id)
    rows = desk.database.execute("SELECT status, tick_id, tick_close, model_now_ms FROM bets")
    assert rows == [("refused", leap.id, cents, leap.id)]
    assert desk.database.execute("SELECT balance FROM users") == [(1_000,)]
    assert audit(desk.database).faults == []


def test_a_leap_from_before_its_receipt_does_not_count(desk: Desk) -> None:
    user = desk.player()
    desk.show(PRICE_CENTS + 40_000)
    desk.clock.advance(100)
    desk.show(PRICE_CENTS)
    bet_id = queue_bet(desk, user)
    move_on(desk, DELAY_MS + 1)
    assert desk.answers()[bet_id].code is None
