"""The audit: nothing to say of honest books, and every tampered row of every table is found."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.audit import audit
from runtime.game.grid import parse_cell
from runtime.game.ledger import SQL
from runtime.game.limits import LIMIT_COLUMNS
from runtime.messaging.commands import Adjust, CompleteWithdrawal, Deposit, ReverseWithdrawal, SetLimits, Withdraw
from tests.by_hand import loosen
from tests.jobs.long_shots import OWN, closed, settle_all, win
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk

pytestmark = pytest.mark.engines


def play(desk: Desk) -> None:
    """Leave at least one row of every kind in every table."""
    now_ms = desk.clock.now_ms()
    common: dict[str, Any] = {"received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    one, two = desk.player(1), desk.player(2)
    desk.do(Deposit(id=desk.new_id(), user_id=one, amount=500, reference="wire-1", who="op", why="wire", **common))
    desk.do(Adjust(id=desk.new_id(), user_id=two, amount=-30, reference="fix-1", who="op", why="fix", **common))
    desk.do(
        SetLimits(id=desk.new_id(), user_id=one, stake_day_max_cents=100_000, deposit_week_max_cents=9_000, **common)
    )
    taken = [
        Withdraw(
            id=desk.new_id(), user_id=one, amount=100, nonce=f"nonce00{n}", signed_at_s=1, signature="0x", **common
        )
        for n in range(3)
    ]
    desk.do(*taken)
    desk.do(
        CompleteWithdrawal(id=desk.new_id(), withdrawal_id=taken[0].id, who="op", why="", reference="tx-1", **common),
        ReverseWithdrawal(id=desk.new_id(), withdrawal_id=taken[1].id, who="op", why="", reference="tx-2", **common),
    )
    hit, miss, void, short = desk.bet(one), desk.bet(two, rows=1), desk.bet(one, columns=4), desk.bet(one, amount=7)
    desk.place(hit, miss, void, short, desk.bet(two, columns=9))
    for bet, covered in ((hit, True), (void, False)):
        cell = parse_cell(bet.cell_id, RULES)
        assert cell is not None
        desk.settle(cell.start_s, PRICE_CENTS, PRICE_CENTS, covered=covered)


@pytest.fixture
def played(desk: Desk) -> Desk:
    play(desk)
    return desk


def found(desk: Desk) -> list[str]:
    return audit(desk.database).faults


def test_honest_books_have_no_findings_and_the_summary_counts_them(played: Desk) -> None:
    report = audit(played.database)
    assert report.faults == []
    assert (report.users, report.bets) == (2, 5)
    statuses = played.database.execute("SELECT status FROM bets ORDER BY seq")
    assert statuses == [("won",), ("lost",), ("void",), ("refused",), ("confirmed",)]
    assert "every cent is where it belongs" in report.summary


def test_an_empty_database_adds_up(desk: Desk) -> None:
    assert found(desk) == []


CHANGES = [
    pytest.param("UPDATE users SET balance = balance + 1 WHERE rowid_of", "users", id="a balance"),
    pytest.param(
        "UPDATE users SET wallet_address = lower('0x' || substr(id, 1, 20) || substr(id, 1, 20)) WHERE rowid_of",
        "users",
        id="a wallet",
    ),
    pytest.param("UPDATE users SET version = version + 1 WHERE rowid_of", "users", id="a version"),
    pytest.param("UPDATE users SET last_entry_id = NULL WHERE rowid_of", "users", id="a last entry"),
    pytest.param(
        "UPDATE transaction_ledger SET number = number + 1 WHERE rowid_of", "transaction_ledger", id="a number"
    ),
    pytest.param(
        "UPDATE transaction_ledger SET previous_id = (SELECT min(id) FROM transaction_ledger) WHERE rowid_of",
        "transaction_ledger",
        id="a link",
    ),
    pytest.param(
        "UPDATE transaction_ledger SET amount = amount - 1 WHERE rowid_of", "transaction_ledger", id="an amount"
    ),
    pytest.param(
        "UPDATE transaction_ledger SET metadata = '{\"x\":1}' WHERE rowid_of",
        "transaction_ledger",
        id="metadata",
        marks=pytest.mark.sqlite,
    ),
    pytest.param("UPDATE bets SET reward_rate = reward_rate + 1 WHERE rowid_of", "bets", id="a rate"),
    pytest.param("UPDATE bets SET signature = '0x' WHERE rowid_of", "bets", id="a signature"),
    pytest.param(
        "UPDATE bets SET status = 'lost', payout_amount = 0 WHERE status = 'won'",
        "bets",
        id="a result",
        marks=pytest.mark.sqlite,
    ),
    pytest.param("UPDATE columns SET low = low - 1 WHERE rowid_of", "columns", id="evidence"),
    pytest.param("UPDATE columns SET settled_at = settled_at + 1 WHERE rowid_of", "columns", id="an end"),
    pytest.param(
        "UPDATE withdrawals SET reference = 'other' WHERE status = 'completed'", "withdrawals", id="a reference"
    ),
    pytest.param("UPDATE withdrawals SET amount = amount + 1 WHERE rowid_of", "withdrawals", id="a withdrawal"),
    pytest.param("UPDATE operations SET who = 'other' WHERE rowid_of", "operations", id="an operator"),
    pytest.param("UPDATE player_limits SET stake_day_max_cents = 7 WHERE rowid_of", "player_limits", id="a limit"),
    *(
        pytest.param(f"UPDATE player_limits SET {name} = 7 WHERE rowid_of", "player_limits", id=name)
        for name in LIMIT_COLUMNS[-4:]
    ),
    pytest.param("UPDATE buckets SET bets = bets + 1 WHERE distance = 0", "buckets", id="a count"),
    pytest.param("UPDATE buckets SET paid_cents = 0 WHERE distance = 3", "buckets", id="a bucket's payouts"),
    pytest.param("UPDATE buckets SET is_open = 0 WHERE distance = 3", "buckets", id="a standing"),
    pytest.param("UPDATE commits SET committed_ms = committed_ms + 1 WHERE rowid_of", "commits", id="a commit's time"),
    pytest.param("UPDATE commits SET last_bet_seq = 1 WHERE rowid_of", "commits", id="a commit's range"),
    pytest.param("DELETE FROM users WHERE rowid_of", "users", id="a user gone"),
    pytest.param("DELETE FROM transaction_ledger WHERE rowid_of", "commits", id="an entry gone"),
    pytest.param("DELETE FROM bets WHERE status = 'refused'", "commits", id="a bet gone"),
    pytest.param("DELETE FROM bets WHERE refusal_code IS NULL", "transaction_ledger", id="entries without their bets"),
    pytest.param("DELETE FROM transaction_ledger WHERE ref_type = 'BET'", "bets", id="bets without their entries"),
    pytest.param("DELETE FROM columns WHERE rowid_of", "commits", id="evidence gone"),
    pytest.param("DELETE FROM withdrawals WHERE status = 'pending'", "commits", id="a withdrawal gone"),
    pytest.param("DELETE FROM operations WHERE rowid_of", "commits", id="an operation gone"),
    pytest.param("DELETE FROM player_limits WHERE rowid_of", "commits", id="a limit gone"),
    pytest.param("DELETE FROM commits WHERE number = 2", "commits", id="a commit gone"),
]


@pytest.mark.parametrize(("sql", "table"), CHANGES)
def test_a_row_changed_or_removed_by_hand_is_found(played: Desk, sql: str, table: str) -> None:
    by_hand = loosen(played.reopened())
    target = sql.split()[1] if sql.startswith("UPDATE") else sql.split()[2]
    key = {"columns": "start_s", "commits": "number", "bets": "id", "operations": "reference"}.get(target, "id")
    by_hand.execute(sql.replace("rowid_of", f"{key} = (SELECT max({key}) FROM {target})"))
    by_hand.close()
    faults = found(played)
    assert any(fault.startswith(table) for fault in faults), faults


def test_a_row_added_by_hand_is_found(played: Desk) -> None:
    columns = '"user", amount, balance_after, kind, metadata, number, previous'
    if played.database_url:
        columns += ", created_at, commit_number, place"
    played.database.execute(
        f"INSERT INTO entry_rows (id, ref, {columns})"
        f" SELECT ulid_key('7ZZZZZZZZZZZZZZZZZZZZZZZZZ'), 'invented', {columns} FROM entry_rows LIMIT 1"
    )
    assert any("7ZZZZZZZZZZZZZZZZZZZZZZZZZ" in fault for fault in found(played))


def test_two_bets_exchanged_are_found(played: Desk) -> None:
    loosen(played.database)
    first, second = (row[0] for row in played.database.execute("SELECT seq FROM bets ORDER BY seq LIMIT 2"))
    for one, other in ((first, -1), (second, first), (-1, second)):
        played.database.execute("UPDATE bets SET placed_place = ? WHERE placed_place = ?", (other, one))
    played.database.execute("UPDATE bets SET placed_place = placed_place + 1 WHERE seq = ?", (first,))
    assert any(fault.startswith("bets") for fault in found(played))


def test_a_mark_after_open_bets_is_found_and_without_it_they_are_settled(played: Desk) -> None:
    first, last = (played.bet(played.player(1), columns=columns) for columns in (6, 12))
    assert {outcome.code for outcome in played.place(first, last)} == {None}
    first_s, last_s = (int(bet.cell_id.split("_")[0]) for bet in (first, last))
    played.database.execute(SQL["set_open_from"], (first_s,))
    assert found(played) == [], "the mark is the first column that may have open bets"
    played.database.execute(SQL["set_open_from"], (last_s,))
    (fault,) = found(played)
    assert fault.startswith(f"rules_in_force open_from_s: it is {last_s}, but 2 confirmed bets are on columns before")
    assert f"from {first_s} on" in fault
    assert "delete this row" in fault
    played.hire()
    assert played.writer.book.exposure.first_column_s(last_s) == last_s, "a writer that starts passes them over"
    played.database.execute("DELETE FROM rules_in_force WHERE name = 'open_from_s'")
    played.hire()
    assert played.writer.book.exposure.first_column_s(last_s) == first_s
    played.settle(first_s, PRICE_CENTS, PRICE_CENTS)
    assert found(played) == []


def test_the_end_cut_off_is_found_by_a_kept_head(played: Desk) -> None:
    head = audit(played.database).head
    last = played.database.execute("SELECT max(number) FROM commits")[0][0]
    loosen(played.database)
    for table, column in (("columns", "begun_commit"), ("commits", "number")):
        played.database.execute(f"DELETE FROM {table} WHERE {column} = ?", (last,))
    assert head not in [row[0] for row in played.database.execute("SELECT hash FROM commits")]


def test_a_bucket_s_closing_changed_or_removed_by_hand_is_found(desk: Desk) -> None:
    win(desk, desk.player(), 30)
    settle_all(desk)
    assert (closed(desk), found(desk)) == ([OWN.name], [])
    loosen(desk.database)
    desk.database.execute("UPDATE bucket_changes SET why = 'nobody knows'")
    (fault,) = found(desk)
    assert fault.startswith("bucket_changes commit ")
    desk.database.execute("DELETE FROM bucket_changes")
    faults = found(desk)
    assert f"buckets {OWN.name}: it is closed, but by its last change it is open" in faults
    assert any(fault.startswith("commits") for fault in faults)
