"""Accounts: found or opened by wallet, with their delegations and the limits that players set for themselves."""

from __future__ import annotations

from jobs.writer.book import Book
from runtime.game.ids import RANDOM_BITS, ulid
from runtime.game.ledger import Commit, Entry, LedgerBroken
from runtime.game.limit_changes import CHANGES_PER_DAY_MAX, LimitsChange, changes_for, in_force, may_change
from runtime.game.limits import DAY_MS
from runtime.messaging.commands import Delegation, OpenAccount, Outcome, SetLimits

CREDIT_REFERENCE = "credit:"


def open_account(commit: Commit, command: OpenAccount) -> Outcome:
    """Answer with the wallet's account; a new one is credited once, by a reference that is its own id.

    A signed tap names no account. So a session key is that of one account for ever, and no other account's wallet.
    """
    rows = commit.write("user_by_wallet", command.wallet_address)
    user_id = rows[0][0] if rows else command.user_id
    if command.delegation is not None and _is_taken(commit, user_id, command.delegation.session_key):
        sentence = "The session key belongs to another account; make a new one."
        return Outcome(command.id, {}, "SESSION_KEY_TAKEN", sentence)
    if rows:
        _, balance, created_ms = rows[0]
    else:
        balance, created_ms = 0, commit.now_ms
        position = commit.record("user", user_id, command.wallet_address, commit.now_ms)
        commit.write(
            "insert_user", user_id, command.wallet_address, commit.now_ms, commit.now_ms, commit.number, position
        )
        if command.credit_cents:
            balance = _credit(commit, user_id, command.credit_cents)
    if command.delegation is not None:
        _delegate(commit, user_id, command.delegation)
    data = {"user_id": user_id, "balance": balance, "created_ms": created_ms, "new": not rows}
    # Anybody can name a wallet as a session key before its owner comes, who must not be refused for that.
    for (holder_id,) in commit.write("session_key_holder", command.wallet_address, user_id):
        data["key_holder_id"] = holder_id
    return Outcome(command.id, data)


def _is_taken(commit: Commit, user_id: str, session_key: str) -> bool:
    owners = commit.write("user_by_wallet", session_key)
    return any(
        owner_id != user_id for owner_id, *_ in owners + commit.write("session_key_holder", session_key, user_id)
    )


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


def set_limits(commit: Commit, book: Book, command: SetLimits, *, house_minutes: int) -> Outcome:
    """Merge what a player asks for into what is in force: only here is it known what that is."""
    stored = commit.write("limits_exist", command.id)
    if stored:
        return Outcome(command.id, {"effective_ms": [row[0] for row in stored]})
    known, asked, now_ms = book.limits_of(command.user_id), command.asked(), commit.now_ms
    changes = changes_for(known, asked, now_ms, house_minutes)
    if changes:
        [(made, first_ms)] = commit.write("limit_changes_since", command.user_id, command.user_id, now_ms - DAY_MS)
        if not may_change(made, in_force(known, now_ms), asked, now_ms, house_minutes):
            reset_s = (first_ms + DAY_MS - now_ms) // 1000 + 1
            data = {"bucket": "limit_changes", "limit": CHANGES_PER_DAY_MAX, "remaining": 0, "reset_s": reset_s}
            sentence = "You have changed your limits too often within a day; much tighter ones are taken still."
            return Outcome(command.id, {**data, "retry_after_s": reset_s}, "RATE_LIMITED", sentence)
    for index, change in enumerate(changes):
        row_id = command.id if index == 0 else ulid(now_ms, _random_part(command.id) ^ index)
        _store(commit, command.user_id, row_id, change)
    book.forget_limits(command.user_id)
    return Outcome(command.id, {"effective_ms": [change.effective_ms for change in changes]})


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
        limits.stake_max_cents,
        limits.deposit_day_max_cents,
        limits.deposit_week_max_cents,
        limits.reality_check_minutes,
    )
    commit.write("insert_limits", *content, commit.record("limits", *content))


def _random_part(text: str) -> int:
    return int.from_bytes(text.encode(), "big") % (1 << RANDOM_BITS)
