"""Settlement decides on stored ticks, and the real writer pays: what, when, and only once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.settlement import settler
from jobs.settlement.settler import RESEND_FIRST_MS, settle_columns
from runtime.clock import ManualClock
from runtime.game.breaker import Override, State
from runtime.game.settlement import evidence
from runtime.messaging.redis_keys import BREAKER
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import Database
from tests.jobs.court import END_MS, GRACE_MS, START_MS, START_S, Court
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk


@pytest.fixture
def court(desk: Desk, tmp_path: Path, clock: ManualClock) -> Iterator[Court]:
    court = Court(desk, tmp_path, clock)
    yield court
    court.close()


def test_with_no_bets_there_is_nothing_to_settle(court: Court) -> None:
    court.path(PRICE_CENTS)
    court.at(END_MS + 60_000)
    assert court.settler.run() == 0
    assert court.waiting() == 0


def test_a_touched_cell_wins_and_an_untouched_one_loses(court: Court) -> None:
    touched, jumped_over, missed = court.bet(0), court.bet(1), court.bet(3)
    court.path(PRICE_CENTS, PRICE_CENTS, PRICE_CENTS + 1_000, PRICE_CENTS)
    court.at(END_MS + GRACE_MS)
    assert court.settler.run() == 1
    court.desk.work()
    assert [court.status(each) for each in (touched, jumped_over, missed)] == ["won", "won", "lost"]


def test_a_low_or_high_between_two_closes_touches(court: Court) -> None:
    touched, missed = court.bet(2), court.bet(3)
    court.path(PRICE_CENTS)
    court.tick(START_MS + 2_000, PRICE_CENTS, high=PRICE_CENTS + 750)
    court.at(END_MS + GRACE_MS)
    court.settler.run()
    court.desk.work()
    assert [court.status(each) for each in (touched, missed)] == ["won", "lost"]


def test_the_evidence_is_that_of_the_stored_ticks(court: Court) -> None:
    court.bet()
    court.path(PRICE_CENTS, PRICE_CENTS - 700, PRICE_CENTS + 300)
    court.at(END_MS + GRACE_MS)
    court.settler.run()
    court.desk.work()
    found = evidence(*ticks_store.window(court.ticks, START_MS, END_MS), START_MS, END_MS, court.clock.now_ms())
    assert found is not None
    names = "start_s, end_s, covered, open, low, high, close, tick_count, ticks_sha256, first_tick_id, last_tick_id"
    stored = court.desk.database.execute(f"SELECT {names}, reason FROM columns")
    assert stored == [
        (
            *(START_S, START_S + 5, 1, PRICE_CENTS, PRICE_CENTS - 700, PRICE_CENTS + 300, PRICE_CENTS + 300),
            *(4, found.ticks_sha256, START_MS - 500, START_MS + 2_300, None),
        )
    ]


def test_nothing_is_decided_before_the_grace_has_passed(court: Court) -> None:
    court.bet()
    court.path(PRICE_CENTS)
    court.at(END_MS + GRACE_MS - 1)
    assert court.settler.run() == 0
    court.at(END_MS + GRACE_MS)
    assert court.settler.run() == 1


def test_the_next_tick_is_waited_for_and_after_a_minute_the_bets_are_void(court: Court) -> None:
    bet_id = court.bet()
    court.path(PRICE_CENTS, following=False)
    court.at(END_MS + 59_999)
    assert court.settler.run() == 0
    court.at(END_MS + 60_000)
    assert court.settler.run() == 1
    court.desk.work()
    assert court.status(bet_id) == "void"
    assert court.desk.balance(court.desk.database.execute("SELECT user_id FROM bets")[0][0]) == 1_000_000


def test_a_window_with_a_hole_is_void_as_soon_as_the_prices_are_back(court: Court) -> None:
    bet_id = court.bet()
    court.tick(START_MS - 500)
    court.at(END_MS + GRACE_MS)
    # The hole is known, but its end is not: what is sent as evidence must never change.
    assert court.settler.run() == 0
    court.at(END_MS + 9_000)
    court.tick(END_MS + 9_000)
    assert court.settler.run() == 1
    court.desk.work()
    assert court.status(bet_id) == "void"
    reason = court.desk.database.execute("SELECT reason FROM columns")[0][0]
    assert reason == f"14500 ms without a tick after {START_MS - 500}"


@pytest.mark.parametrize(
    ("state", "override", "settled"),
    [
        pytest.param(State.HEALTHY, Override.AUTO, True, id="healthy"),
        pytest.param(State.DEGRADED, Override.AUTO, True, id="degraded"),
        pytest.param(State.CRITICAL, Override.AUTO, False, id="critical"),
        pytest.param(State.CRITICAL, Override.CLOSED, False, id="critical, bets forced on"),
        pytest.param(State.HEALTHY, Override.OPEN, True, id="healthy, bets forced off"),
    ],
)
def test_won_and_lost_wait_while_ticks_are_critical(
    court: Court, state: State, override: Override, settled: bool
) -> None:
    court.bet()
    court.path(PRICE_CENTS)
    court.at(END_MS + GRACE_MS)
    court.breaker(state, override)
    assert court.settler.run() == int(settled)
    court.breaker(State.HEALTHY)
    assert court.settler.run() == int(not settled)


def test_won_and_lost_wait_for_a_breaker_that_was_lost(court: Court) -> None:
    court.bet()
    court.path(PRICE_CENTS)
    court.at(END_MS + GRACE_MS)
    court.desk.client.delete(BREAKER)
    assert court.settler.run() == 0


def test_a_void_never_waits(court: Court) -> None:
    bet_id = court.bet()
    court.breaker(State.CRITICAL)
    court.at(END_MS + 60_000)
    assert court.settler.run() == 1
    court.desk.work()
    assert court.status(bet_id) == "void"


def test_a_column_on_its_way_is_sent_again_only_after_a_while_and_ever_more_rarely(court: Court) -> None:
    court.bet()
    court.path(PRICE_CENTS)
    court.at(END_MS + GRACE_MS)
    sent_ms = []
    for second in range(200):
        if court.settler.run():
            sent_ms.append(second * 1_000)
        court.clock.advance(1_000)
    first = RESEND_FIRST_MS
    assert sent_ms == [0, first, 3 * first, 7 * first, 15 * first, 27 * first, 39 * first]
    assert court.waiting() == len(sent_ms)


def test_sending_again_moves_no_money(court: Court) -> None:
    bet_id = court.bet()
    court.path(PRICE_CENTS)
    court.at(END_MS + GRACE_MS)
    assert court.settler.run() == 1
    assert court.open_settler().run() == 1
    court.desk.work()
    assert court.status(bet_id) == "won"
    assert court.desk.database.execute("SELECT count(*) FROM columns") == [(1,)]
    assert court.desk.database.execute("SELECT count(*) FROM transaction_ledger WHERE ref_type = 'PAYOUT'") == [(1,)]
    court.clock.advance(RESEND_FIRST_MS)
    assert court.settler.run() == 0
    assert court.open_settler().run() == 0


def test_a_column_that_waits_holds_up_no_later_one_and_is_not_forgotten(court: Court) -> None:
    early, late = court.bet(0, columns=2), court.bet(0, columns=6)
    court.tick(START_MS - 20_000)
    # The early window has a hole of more than ten seconds; the late one is whole.
    for second in range(5, 22):
        court.tick(START_MS + second * 1_000)
    court.at(START_MS + 22_000)
    court.breaker(State.CRITICAL)
    assert court.settler.run() == 1
    court.desk.work()
    assert (court.status(early), court.status(late)) == ("void", "confirmed")
    court.breaker(State.HEALTHY)
    assert court.settler.run() == 1
    court.desk.work()
    assert court.status(late) == "won"


def test_a_settler_that_starts_finds_a_column_that_later_ones_overtook(court: Court) -> None:
    early, late = court.bet(), court.bet(0, columns=7)
    court.path(PRICE_CENTS)
    court.desk.settle(START_S + 4 * RULES.column_seconds, PRICE_CENTS, PRICE_CENTS)
    assert (court.status(early), court.status(late)) == ("confirmed", "won")
    court.at(END_MS + GRACE_MS)
    settler = court.open_settler()
    assert settler.run() == 1
    court.desk.work()
    assert court.status(early) == "won"
    assert court.open_settler().run() == 0


def test_many_settled_columns_are_passed_over_page_by_page(court: Court) -> None:
    court.bet()
    court.path(PRICE_CENTS)
    _copy_bet_to_settled_columns(court.desk.database, 1_203)
    court.at(END_MS + GRACE_MS)
    settler = court.settler
    assert settler.run() == 1
    court.desk.work()
    assert settler.run() == 0
    seconds = RULES.column_seconds
    assert court.desk.database.execute("SELECT count(*) FROM columns WHERE start_s <= ?", (START_S,)) == [(1_204,)]
    assert START_S % seconds == 0


def test_the_job_runs_with_settings_from_the_environment(
    court: Court, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(court.settings.data))
    monkeypatch.setenv("TAPTRADE_REDIS_URL", settings.redis_url)
    settler._house.cache_clear()
    assert settle_columns() == 0
    assert settle_columns() == 0
    assert settler._house.cache_info().hits == 1
    settler._house.cache_clear()


def _copy_bet_to_settled_columns(database: Database, count: int) -> None:
    """Give each of the `count` columns before START_S a settled bet and a record."""
    names = [row[1] for row in database.execute("PRAGMA table_info(bet_rows)")]
    bet = dict(zip(names, database.execute("SELECT * FROM bet_rows")[0], strict=True))
    for index in range(count):
        start_s = START_S - (index + 1) * RULES.column_seconds
        bet.update(seq=bet["seq"] + 1, id=index.to_bytes(16), column_start_s=start_s, low_cents=0, high_cents=500)
        bet.update(status=2, resolved_commit=1, resolved_place=0, resolved_after_ms=1, payout_amount=0)
        marks = ", ".join("?" * len(names))
        database.execute(f"INSERT INTO bet_rows VALUES ({marks})", list(bet.values()))
        database.execute(
            "INSERT INTO columns (start_s, end_s, covered, tick_count, ticks_sha256, begun_at, begun_commit,"
            " begun_place, settled_at, settled_commit) VALUES (?, ?, 0, 0, '', 0, 0, 0, 0, 0)",
            (start_s, start_s + RULES.column_seconds),
        )
