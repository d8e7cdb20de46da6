"""Accounts: found or opened by wallet, with their delegations and the limits that players set for themselves."""

from __future__ import annotations

from jobs.writer.book import Book
from runtime.game.ids import RANDOM_BITS, ulid
from runtime.game.ledger import Commit, Entry, LedgerBroken
from runtime.game.limits import LimitsChange, PlayerLimits, changes_for, in_force
from runtime.messaging.commands import Delegation, OpenAccount, Outcome, SetLimits

CREDIT_REFERENCE = "credit:"


def open_account(commit: Commit, command: OpenAccount) -> Outcome:
    """Answer with the wallet's account; a new one is credited once, by a reference that is its own id."""
    rows = commit.write("user_by_wallet", command.wallet_address)
    if rows:
        user_id, balance, created_ms = rows[0]
    else:
        user_id, balance, created_ms = command.user_id, 0, commit.now_ms
        position = commit.record("user", user_id, command.wallet_address, commit.now_ms)
        commit.write(
            "insert_user", user_id, command.wallet_address, commit.now_ms, commit.now_ms, commit.number, position
        )
        if command.credit_cents:
            balance = _credit(commit, user_id, command.credit_cents)
    if command.delegation is not None:
        _delegate(commit, user_id, command.delegation)
    data = {"user_id": user_id, "balance": balance, "created_ms": created_ms, "new": not rows}
    return Outcome(command.id, data)


def _credit(commit: Commit, user_id: str, amount_cents: int) -> int:
    reference = CREDIT_REFERENCE + user_id
    entry = commit.balance_change(user_id, amount_cents, "DEPOSIT", reference, {"why": "demo credit"})
    if entry is None:
        raise LedgerBroken(f"user {user_id} was inserted and is not there")
    enter_operation(commit, "credit", entry, "house", "demo credit")
    return entry.balance_after


def enter_operation(commit: Commit, kind: str, entry: Entry, who: str, why: str) -> None:
    """Keep who moved money from or to the outside, and why, under the entry's reference."""
    content = (
        entry.ref_id,
        kind,
        entry.user_id,
        entry.amount,
        who,
        why,
        entry.id,
        entry.balance_after,
        commit.now_ms,
        commit.number,
    )
    commit.write("insert_operation", *content, commit.record("operation", *content))


def _delegate(commit: Commit, user_id: str, delegation: Delegation) -> None:
    if commit.write("delegation_exists", delegation.id):
        return
    content = (
        delegation.id,
        user_id,
        delegation.session_key,
        delegation.message,
        delegation.signature,
        commit.now_ms,
        commit.number,
    )
    commit.write("insert_delegation", *content, commit.record("delegation", *content))


def set_limits(commit: Commit, book: Book, command: SetLimits) -> Outcome:
    """Store what a player wishes: what is tighter counts at once, what is looser after a day."""
    wanted = PlayerLimits(
        command.stake_day_max_cents,
        command.loss_day_max_cents,
        command.cool_off_until_ms,
        command.excluded_until_ms,
    )
    stored = commit.write("limits_exist", command.id)
    changes = (
        [] if stored else changes_for(in_force(book.limits_of(command.user_id), commit.now_ms), wanted, commit.now_ms)
    )
    for index, change in enumerate(changes):
        row_id = command.id if index == 0 else ulid(commit.now_ms, _random_part(command.id) ^ index)
        _store(commit, command.user_id, row_id, change)
    book.forget_limits(command.user_id)
    effective = [change.effective_ms for change in changes] or [row[0] for row in stored]
    return Outcome(command.id, {"effective_ms": effective})


def _store(commit: Commit, user_id: str, row_id: str, change: LimitsChange) -> None:
    limits = change.limits
    content = (
        row_id,
        user_id,
        limits.stake_day_max_cents,
        limits.loss_day_max_cents,
        limits.cool_off_until_ms,
        limits.excluded_until_ms,
        change.effective_ms,
        commit.now_ms,
        commit.number,
    )
    commit.write("insert_limits", *content, commit.record("limits", *content))


def _random_part(text: str) -> int:
    return int.from_bytes(text.encode(), "big") % (1 << RANDOM_BITS)
