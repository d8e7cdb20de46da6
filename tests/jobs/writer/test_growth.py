"""What the writer reads, at its start and for a commit, does not grow with the tables, and is exact all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.writer import settle
from jobs.writer.book import Book
from runtime.game.bets import Bet
from runtime.game.grid import column_of
from runtime.game.ledger import SQL, Commit
from runtime.game.settlement import Result
from runtime.game.statements import fill
from runtime.messaging.commands import PlaceBet
from runtime.storage.database import Row
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

STATEMENTS = {name: fill(sql, conditions="") for name, sql in SQL.items() if not name.startswith("if_")}
SHORT = (
    "SCAN found",
    "SCAN json_each",
    "SCAN walk",
    "SCAN block",
    "SCAN milestone",
    "SCAN first",
    "SCAN columns USING INDEX columns_unfinished",
    "SCAN buckets",
    "SCAN cut",
    "SCAN CONSTANT ROW",
    "SCAN bucket_changes",
)
"""Walks over what the statement has found or been given, over an index of what is under way, and over the buckets: some
eighty rows a model, what operators have changed of them, and tables of one row."""
OPEN_BETS = """
SELECT column_start_s, cell_id, sum(amount * reward_rate / 10000), count(*)
FROM bets WHERE status = 'confirmed' GROUP BY column_start_s, cell_id ORDER BY column_start_s, cell_id
"""


def column_of_bet(bet: PlaceBet) -> int:
    return int(bet.cell_id.split("_")[0])


def mark(desk: Desk) -> int:
    return int(desk.database.execute(SQL["open_from"])[0][0])


def open_bets(desk: Desk) -> list[Row]:
    """Look at every bet."""
    return desk.database.execute(OPEN_BETS)


def known_bets(desk: Desk) -> list[Row]:
    """Return what the writer reads at its start, summed up by cell.

    What one that starts so would know, and what the one that goes on knows, must be what follows from every open bet.
    """
    rows = open_bets(desk)
    cents = {row[1]: row[2] for row in rows}
    for book in (desk.writer.book, Book(desk.database, desk.clock, desk.risk)):
        assert book.exposure.total_cents == sum(cents.values())
        for start_s, cell_id, _, _ in rows:
            most = min(desk.risk.payout_max_cents, desk.risk.cell_payout_max_cents - cents[cell_id])
            assert book.exposure.headroom_cents(start_s, cell_id) == most
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for start_s, cell_id, stake_cents, rate_bp, bets in desk.database.execute(SQL["open_bets"]):
        total_cents, number = found.get((start_s, cell_id), (0, 0))
        found[start_s, cell_id] = (total_cents + bets * (stake_cents * rate_bp // 10_000), number + bets)
    return sorted((*cell, *sums) for cell, sums in found.items())


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_scans_a_table(desk: Desk, name: str) -> None:
    sql = STATEMENTS[name]
    if sql.startswith("WITH") and sql.endswith(")"):
        sql += " SELECT * FROM entry"
    plan = [row[3] for row in desk.database.execute(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))]
    scans = [step for step in plan if step.startswith("SCAN") and not step.startswith(SHORT)]
    # The newest row alone is a walk that ends after one step.
    assert not scans or sql.endswith("DESC LIMIT 1"), plan


def test_open_bets_are_found_among_settled_columns(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [desk.player(number) for number in range(1, 6)]
    bets = {columns: [desk.bet(user, columns=columns) for user in users] for columns in (2, 3, 4, 5, 6)}
    for column in bets.values():
        assert {outcome.code for outcome in desk.place(*column)} == {None}
    assert known_bets(desk) == open_bets(desk)
    # Settled between two columns that have no record; then one that is settled by half; the last has not begun.
    desk.settle(column_of_bet(bets[3][0]), PRICE_CENTS, PRICE_CENTS)
    assert known_bets(desk) == open_bets(desk)
    monkeypatch.setattr(settle, "SLICE_BETS", 2)
    monkeypatch.setattr(settle, "BESIDE_PLACING", 0)
    monkeypatch.setattr(settle, "PACE_LEAST", 0)
    monkeypatch.setattr(settle.Settlement, "_end", _dying_at(3))
    with pytest.raises(KeyboardInterrupt):
        desk.settle(column_of_bet(bets[5][0]), PRICE_CENTS, PRICE_CENTS)
    desk.hire()
    assert desk.database.execute("SELECT count(*) FROM bets WHERE status = 'confirmed'") == [(18,)]
    assert desk.database.execute("SELECT count(*) FROM columns WHERE settled_commit IS NULL") == [(1,)]
    assert known_bets(desk) == open_bets(desk)


def test_a_roll_back_leaves_exact_knowledge_however_often(desk: Desk) -> None:
    user = desk.player()
    old, newer = desk.bet(user, columns=2), desk.bet(user, columns=4)
    desk.place(old, newer)
    for bet in (newer, old):
        desk.writer.book.reload()
        assert known_bets(desk) == open_bets(desk)
        desk.settle(column_of_bet(bet), PRICE_CENTS, PRICE_CENTS)
        desk.place(desk.bet(user, columns=5), desk.bet(user, columns=7, rows=len(bet.id) % 2))
        desk.writer.book.reload()
        assert known_bets(desk) == open_bets(desk)


def test_the_mark_stays_before_what_is_open_and_moves_with_what_is_settled(desk: Desk) -> None:
    user = desk.player()
    first, middle, last = (desk.bet(user, columns=columns) for columns in (2, 4, 6))
    desk.place(first, middle, last)
    assert mark(desk) == 0
    desk.settle(column_of_bet(middle), PRICE_CENTS, PRICE_CENTS)
    assert mark(desk) == column_of_bet(first)
    desk.settle(column_of_bet(first), PRICE_CENTS, PRICE_CENTS)
    # The last is open, but until its column has begun a bet may still come before it.
    assert mark(desk) == column_of_bet(middle) + 1
    assert desk.place(desk.bet(user, columns=5))[0].code is None
    assert known_bets(desk) == open_bets(desk)
    desk.settle(column_of_bet(last), PRICE_CENTS, PRICE_CENTS)
    assert mark(desk) == column_of_bet(middle) + RULES.column_seconds
    assert known_bets(desk) == open_bets(desk)


def test_a_database_without_a_mark_is_looked_at_from_its_first_column(desk: Desk) -> None:
    user = desk.player()
    settled, open_bet = desk.bet(user, columns=2), desk.bet(user, columns=3)
    desk.place(settled, open_bet)
    desk.settle(column_of_bet(settled), PRICE_CENTS, PRICE_CENTS)
    desk.database.execute("DELETE FROM rules_in_force")
    assert known_bets(desk) == open_bets(desk)


def test_a_bet_on_the_first_column_that_is_open_is_known_after_a_roll_back(desk: Desk) -> None:
    user = desk.player()
    desk.settle(column_of(desk.clock.now_ms(), RULES) + RULES.column_seconds, PRICE_CENTS, PRICE_CENTS)
    desk.writer.book.reload()
    assert desk.place(desk.bet(user, columns=2))[0].code is None
    desk.writer.book.reload()
    assert desk.writer.book.exposure.total_cents > 0
    assert known_bets(desk) == open_bets(desk)


def _dying_at(count: int) -> Callable[..., None]:
    honest, seen = settle.Settlement._end, []

    def end(self: settle.Settlement, commit: Commit, bet: Bet, status: Result) -> None:
        seen.append(bet.id)
        if len(seen) == count:
            raise KeyboardInterrupt
        honest(self, commit, bet, status)

    return end
