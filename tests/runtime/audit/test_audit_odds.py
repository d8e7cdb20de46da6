"""What else the audit finds: pages, orphans, cut chains, results without evidence, balances that were meddled with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.audit import audit
from runtime.audit.findings import Report
from runtime.audit.money_walk import _check_users
from runtime.storage.database import open_writer
from tests.by_hand import loosen
from tests.jobs.writer_desk import Desk
from tests.runtime.audit.test_audit import play


@pytest.fixture
def by_hand(desk: Desk) -> Callable[..., list[str]]:
    """Return what changes played books by hand and tells what the audit finds then."""
    play(desk)
    loosen(desk.database)
    desk.database.execute("PRAGMA ignore_check_constraints = 1")

    def change(*statements: str) -> list[str]:
        for sql in statements:
            desk.database.execute(sql)
        return audit(desk.database).faults

    return change


def test_progress_is_told_of_every_commit(desk: Desk) -> None:
    play(desk)
    told: list[tuple[int, int]] = []
    report = audit(desk.database, lambda done, total: told.append((done, total)))
    assert told == [(number, report.commits) for number in range(1, report.commits + 1)]


def test_a_damaged_file_is_found(desk: Desk) -> None:
    play(desk)
    desk.close()
    raw = open_writer(desk.path)
    raw.execute("PRAGMA writable_schema = 1")
    raw.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, '(kind, ref)', '(kind, amount)') WHERE name = 'ledger_reference'"
    )
    raw.close()
    desk.database = open_writer(desk.path)
    faults = audit(desk.database).faults
    assert any(fault.startswith("database file:") and "ledger_reference" in fault for fault in faults), faults


def test_rows_of_commits_that_are_not_there_are_found(by_hand: Callable[..., list[str]]) -> None:
    faults = by_hand(
        "UPDATE withdrawals SET requested_commit = 900 WHERE status = 'pending'",
        "UPDATE columns SET begun_commit = 0 WHERE covered = 0",
    )
    assert any(fault.startswith("withdrawals ") and "names commit 900" in fault for fault in faults), faults
    assert any(fault.startswith("columns ") and "names commit 0" in fault for fault in faults), faults


def test_a_row_at_a_position_that_its_commit_did_not_write_is_found(by_hand: Callable[..., list[str]]) -> None:
    faults = by_hand("UPDATE player_limits SET created_place = 77")
    assert any("wrote no row at position 77" in fault for fault in faults), faults
    assert any("is missing" in fault for fault in faults), faults


def test_two_rows_at_one_position_are_told_apart(by_hand: Callable[..., list[str]], desk: Desk) -> None:
    columns = "user_id, stake_day_max_cents, effective_ms, created_at, created_commit, created_place"
    faults = by_hand(
        f"INSERT INTO player_limits (id, {columns}) SELECT '7ZZZZZZZZZZZZZZZZZZZZZZZZZ', {columns} FROM player_limits"
    )
    [named] = [fault for fault in faults if fault.startswith("player_limits")]
    assert named.startswith("player_limits 7ZZZZZZZZZZZZZZZZZZZZZZZZZ: it is not what commit")


def test_a_chain_that_was_made_anew_from_somewhere_on_is_found(by_hand: Callable[..., list[str]]) -> None:
    faults = by_hand(f"UPDATE commits SET hash = '{'7' * 64}' WHERE number = 2")
    assert any(fault.startswith("commits 2:") for fault in faults), faults
    assert "commits 3: it does not follow from the commit before it" in faults


def test_a_negative_balance_is_found(by_hand: Callable[..., list[str]]) -> None:
    faults = by_hand("UPDATE users SET balance = -5 WHERE id = (SELECT max(id) FROM users)")
    assert any("the balance is -5, below zero" in fault for fault in faults), faults


def test_a_time_that_was_changed_is_found(by_hand: Callable[..., list[str]]) -> None:
    faults = by_hand("UPDATE users SET updated_at = updated_at + 1")
    assert sum("updated_at is not the time of its last entry" in fault for fault in faults) == 2


def test_entries_of_a_user_who_is_gone_are_found(by_hand: Callable[..., list[str]]) -> None:
    faults = by_hand("DELETE FROM users")
    assert sum("entries of a user that is not there" in fault for fault in faults) == 2


def test_a_user_without_entries_has_no_balance(desk: Desk) -> None:
    user = desk.player(1, cents=0)
    report = Report()
    assert list(_check_users(desk.database, report, {})) == []
    assert (report.users, audit(desk.database).faults) == (1, [])
    desk.database.execute("UPDATE users SET balance = 1")
    assert any(fault.startswith(f"users {user}") for fault in audit(desk.database).faults)


@pytest.mark.parametrize(
    ("status", "payout", "sentence"),
    [
        pytest.param("lost", "0", "lost, but its column has no evidence", id="lost"),
        pytest.param("void", "0", "void, refund due 100, but its REFUND entry is None", id="void"),
    ],
)
def test_a_result_that_nothing_led_to_is_found(
    by_hand: Callable[..., list[str]], status: str, payout: str, sentence: str
) -> None:
    faults = by_hand(f"UPDATE bets SET status = '{status}', payout_amount = {payout} WHERE status = 'confirmed'")
    assert any(fault.endswith(sentence) for fault in faults), faults


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        pytest.param("UPDATE bets SET payout_amount = 7 WHERE status = 'won'", "but payout_amount is 7", id="payout"),
        pytest.param("UPDATE columns SET covered = 0 WHERE covered = 1", "evidence it is void", id="cover"),
        pytest.param("UPDATE columns SET low = NULL WHERE covered = 1", "evidence it is void", id="no low"),
        pytest.param("UPDATE columns SET high = 1, low = 1 WHERE covered = 1", "evidence it is lost", id="window"),
        pytest.param(
            "UPDATE withdrawals SET status = 'completed' WHERE status = 'reversed'",
            "completed, but its WITHDRAWAL_REVERSAL entry is 100",
            id="reversal",
        ),
        pytest.param("UPDATE operations SET amount = amount + 1", "no ledger entry of its amount", id="operation"),
        pytest.param(
            "UPDATE transaction_ledger SET ref_id = 'x' WHERE ref_type = 'PAYOUT'", "PAYOUT x is not there", id="payee"
        ),
        pytest.param(
            "UPDATE transaction_ledger SET created_at = 1 + created_at WHERE number = 1", "ids do not rise", id="order"
        ),
        pytest.param("UPDATE transaction_ledger SET amount = amount + 1", "must sum to zero", id="house"),
    ],
)
def test_what_does_not_add_up_is_named(by_hand: Callable[..., list[str]], sql: str, sentence: str) -> None:
    faults = by_hand(sql)
    assert any(sentence in fault for fault in faults), faults
