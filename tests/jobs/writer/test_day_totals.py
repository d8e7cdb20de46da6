"""The day's totals of a player are those of all entries of the day, and each entry is read once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from jobs.writer.day_totals import DayTotals
from runtime.game.ids import first_id_at
from runtime.game.limits import DAY_MS, day_began_ms
from runtime.game.player_entries import FIRST_ID, Rows, totals_since
from tests.jobs.writer_desk import PRICE_CENTS, Desk

pytestmark = pytest.mark.engines


class Died(Exception):
    """What a block raises to be rolled back."""


def today(desk: Desk) -> str:
    return first_id_at(day_began_ms(desk.clock.now_ms()))


def tap(desk: Desk, user: str, rows: int) -> None:
    assert desk.place(desk.bet(user, rows=rows))[0].code is None


def test_they_are_those_of_all_entries_after_each_bet_and_each_end(desk: Desk) -> None:
    users, totals = [desk.player(1), desk.player(2)], desk.writer.book.day_totals
    for rows in range(3):
        for user in users:
            tap(desk, user, rows)
            assert totals.since(user, today(desk)) == totals_since(desk.database.execute, user, today(desk))
    column_s = int(desk.database.execute("SELECT min(column_start_s) FROM bets")[0][0])
    desk.settle(column_s, PRICE_CENTS, PRICE_CENTS)
    staked, returned = totals.since(users[0], today(desk))
    assert (staked, returned) == totals_since(desk.database.execute, users[0], today(desk))
    assert staked > 0
    assert returned > 0


def test_only_what_is_new_is_read(desk: Desk) -> None:
    asked: list[Sequence[Any]] = []

    def execute(sql: str, params: Sequence[Any] = ()) -> Rows:
        asked.append(params)
        return desk.database.execute(sql, params)

    user, totals = desk.player(), DayTotals(execute)
    tap(desk, user, 0)
    totals.since(user, FIRST_ID)
    ((newest,),) = desk.database.execute("SELECT last_entry_id FROM users WHERE id = ?", (user,))
    totals.since(user, FIRST_ID)
    assert [FIRST_ID in params for params in asked] == [True, False]
    assert f"{newest}0" in asked[1]


def test_what_was_rolled_back_counts_no_more(desk: Desk) -> None:
    user, book = desk.player(), desk.writer.book
    tap(desk, user, 0)
    before = book.day_totals.since(user, today(desk))

    def die_after_a_bet() -> None:
        with book.commit(lambda _commit: None) as commit:
            commit.balance_change(user, -100, "BET", desk.new_id())
            assert book.day_totals.since(user, today(desk)) == (before[0] + 100, before[1])
            raise Died

    with pytest.raises(Died):
        die_after_a_bet()
    assert book.day_totals.since(user, today(desk)) == before
    tap(desk, user, 1)
    assert book.day_totals.since(user, today(desk)) == totals_since(desk.database.execute, user, today(desk))


def test_another_day_begins_with_nothing(desk: Desk) -> None:
    user, totals = desk.player(), desk.writer.book.day_totals
    tap(desk, user, 0)
    assert totals.since(user, today(desk))[0] > 0
    desk.clock.advance(DAY_MS)
    assert totals.since(user, today(desk)) == (0, 0)
