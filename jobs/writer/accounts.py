"""Accounts: opened by a wallet or a guest, with their delegations and the limits that players set for themselves."""

from __future__ import annotations

from typing import Any

from jobs.writer.book import Book
from jobs.writer.seals import Seals
from runtime.game.ids import RANDOM_BITS, ulid
from runtime.game.ledger import Commit, Entry
from runtime.game.limit_changes import CHANGES_PER_DAY_MAX, LimitsChange, changes_for, in_force, may_change
from runtime.game.limits import DAY_MS
from runtime.game.rows import LedgerBroken
from runtime.messaging.commands import AdoptGuest, Delegation, OpenAccount, Outcome, SetLimits
from runtime.personal.seal import about

CREDIT_REFERENCE = "credit:"


def open_account(commit: Commit, seals: Seals, command: OpenAccount) -> Outcome:
    """Answer with the account of a wallet or a guest; a new one is credited once, by a reference that is its own id.

    A signed tap names no account. So a session key is that of one account for ever, and no other account's wallet.
    """
    wallet = command.wallet_address
    if command.guest_key is None:
        rows = commit.write("user_by_wallet", wallet)
    else:
        rows = commit.write("user_by_guest_key", command.guest_key)
        if rows and rows[0][3] != wallet:
            sentence = "A wallet has taken this guest's account over; sign in with that wallet."
            return Outcome(command.id, {}, "GUEST_ADOPTED", sentence)
    user_id = rows[0][0] if rows else command.user_id
    if not rows and not all(commit.claim("key", key) for key in (wallet, command.guest_key) if key is not None):
        # Keys that have to do with each other are in one shard, where all that follows is looked at.
        return Outcome(command.id, {}, "UNAVAILABLE", "The account lies elsewhere; sign in again.")
    if command.delegation is not None and _is_taken(commit, user_id, command.delegation.session_key):
        sentence = "The session key belongs to another account; make a new one."
        return Outcome(command.id, {}, "SESSION_KEY_TAKEN", sentence)
    if rows:
        _, balance, created_ms, *_ = rows[0]
    else:
        balance, created_ms = 0, commit.now_ms
        _insert(commit, seals, user_id, command)
        if command.credit_cents:
            balance = _credit(commit, user_id, command.credit_cents)
    if command.delegation is not None:
        _delegate(commit, seals, user_id, command.delegation)
    return Outcome(command.id, _opened(commit, user_id, wallet, balance, created_ms) | {"new": not rows})


def _insert(commit: Commit, seals: Seals, user_id: str, command: OpenAccount) -> None:
    seal, wallet, key, now_ms = seals.needed(user_id), command.wallet_address, command.guest_key, commit.now_ms
    address = seal.close(wallet, about("address", user_id))
    opened_key = None if key is None else seal.close(key, about("guest_key", user_id))
    position = commit.record("user", user_id, address, now_ms, opened_key)
    content = (user_id, wallet, key, address, opened_key, now_ms, now_ms, commit.number, position)
    commit.write("insert_user", *content)


def adopt_guest(commit: Commit, seals: Seals, command: AdoptGuest) -> Outcome:
    """Give a guest's account to a wallet; the address that it had stays known, and the key stays the account's."""
    user_id, wallet = command.user_id, command.wallet_address
    users = commit.write("user", user_id)
    if not users:
        return Outcome(command.id, {}, "NOT_FOUND", "There is no such account.")
    _, address, balance, created_ms = users[0]
    if address != wallet:
        if commit.write("adoption", user_id):
            sentence = "Another wallet has taken this account over already; sign in with that wallet."
            return Outcome(command.id, {}, "GUEST_ADOPTED", sentence)
        if commit.write("user_by_wallet", wallet) or not commit.claim("key", wallet):
            sentence = "The wallet has an account of its own; sign in with it, and play on there."
            return Outcome(command.id, {}, "WALLET_TAKEN", sentence)
        if not commit.write("adopt_user", wallet, user_id):
            return Outcome(command.id, {}, "FORBIDDEN", "Only a guest's account can be given to a wallet.")
        seal = seals.needed(user_id)
        content = (
            user_id,
            seal.close(address, about("address", user_id)),
            seal.close(wallet, about("address", user_id)),
            seal.close(command.message, about("adoption", user_id)),
            seal.close(command.signature, about("adopted", user_id)),
            commit.now_ms,
            commit.number,
        )
        commit.write("insert_adoption", *content, commit.record("adoption", *content))
    return Outcome(command.id, _opened(commit, user_id, wallet, balance, created_ms))


def _opened(commit: Commit, user_id: str, wallet: str, balance: int, created_ms: int) -> dict[str, Any]:
    """Return what a sign-in is answered, with what its session must know of the account."""
    data: dict[str, Any] = {"user_id": user_id, "balance": balance, "created_ms": created_ms}
    for (guest_address,) in commit.write("adoption", user_id):
        data["guest_address"] = guest_address
    # Anybody can name a wallet as a session key before its owner comes, who must not be refused for that.
    for (holder_id,) in commit.write("session_key_holder", wallet, user_id):
        data["key_holder_id"] = holder_id
    return data


def _is_taken(commit: Commit, user_id: str, session_key: str) -> bool:
    if not commit.claim("key", session_key):
        return True
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


def _delegate(commit: Commit, seals: Seals, user_id: str, delegation: Delegation) -> None:
    if commit.write("delegation_exists", delegation.id):
        return
    seal, key = seals.needed(user_id), delegation.session_key
    content = (
        delegation.id,
        user_id,
        seal.close(key, about("session_key", delegation.id)),
        seal.close(delegation.message, about("login", delegation.id)),
        seal.close(delegation.signature, about("signed", delegation.id)),
        commit.now_ms,
        commit.number,
    )
    commit.write("insert_delegation", *content, commit.record("delegation", *content), key)


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
