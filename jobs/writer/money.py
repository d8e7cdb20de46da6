"""Money from and to the outside: deposits, withdrawals and adjustments, each once per reference."""

from __future__ import annotations

from typing import Any, assert_never

import msgspec

from jobs.writer.accounts import enter_operation
from jobs.writer.book import Book
from jobs.writer.seals import Seals
from runtime.betting.idempotency import CAME_BEFORE, KEYS_KEPT_MS
from runtime.game.ledger import Commit
from runtime.game.limit_changes import in_force
from runtime.game.limits import WEEK_MS, deposit_refusal
from runtime.game.rows import LedgerBroken
from runtime.messaging.commands import (
    Adjust,
    CompleteWithdrawal,
    Deposit,
    Idempotency,
    Outcome,
    ReverseWithdrawal,
    Withdraw,
)
from runtime.personal.seal import about

# The greatest balance that the table takes: a deposit beyond it is refused, not failed.
BALANCE_MAX_CENTS = 10**15
WITHDRAWAL_FIELDS = (
    "id",
    "user_id",
    "amount",
    "to_address",
    "status",
    "requested_at",
    "reference",
    "who",
    "why",
    "resolved_at",
)


def deposit(commit: Commit, book: Book, command: Deposit) -> Outcome:
    """Credit a deposit, unless its reference was credited before: then its first answer stands.

    Whoever sends it, the player's own limits hold.
    """
    repeated = _repeat(commit, command.id, command.user_id, command.idempotency)
    if repeated is not None:
        return repeated
    stored = commit.write("operation", "deposit", command.reference)
    if stored:
        return _same_operation(command, stored[0])
    users = commit.write("user", command.user_id)
    if not users:
        return Outcome(command.id, {}, "NOT_FOUND", "There is no such account.")
    beyond = _beyond_own_limits(commit, book, command)
    if beyond is not None:
        return beyond
    balance = users[0][2]
    most = BALANCE_MAX_CENTS if command.balance_max_cents is None else command.balance_max_cents
    if balance + command.amount > most:
        data = {"balance": balance, "balance_max_cents": most}
        return Outcome(command.id, data, "DEPOSIT_LIMIT", "The deposit would lift the balance above the cap.")
    if not commit.claim("deposit", command.reference):
        return _used_elsewhere(command)
    metadata = {"who": command.who, "why": command.why}
    entry = commit.balance_change(command.user_id, command.amount, "DEPOSIT", command.reference, metadata)
    if entry is None:
        raise LedgerBroken(f"user {command.user_id} vanished inside a transaction")
    enter_operation(commit, "deposit", entry, command.who, command.why)
    data = {"ledger_id": entry.id, "amount": entry.amount, "balance": entry.balance_after, "reference": entry.ref_id}
    return _remember(commit, book.seals, command, Outcome(command.id, data))


def _beyond_own_limits(commit: Commit, book: Book, command: Deposit) -> Outcome | None:
    limits = in_force(book.limits_of(command.user_id), commit.now_ms)
    before = commit.write("deposits_since", command.user_id, commit.now_ms - WEEK_MS) if limits.counts_deposits else []
    reached = deposit_refusal(limits, command.amount, [(ms, cents) for ms, cents in before], commit.now_ms)
    if reached is None:
        return None
    data = {"limit": reached.limit, "left_cents": reached.left_cents, "until_ms": reached.until_ms}
    return Outcome(command.id, data, "LIMIT_REACHED", reached.sentence)


def adjust(commit: Commit, command: Adjust) -> Outcome:
    """Correct a balance by a new entry; below zero it cannot go."""
    stored = commit.write("operation", "adjust", command.reference)
    if stored:
        return _same_operation(command, stored[0])
    users = commit.write("user", command.user_id)
    if users and users[0][2] + command.amount > BALANCE_MAX_CENTS:
        data = {"balance": users[0][2], "balance_max_cents": BALANCE_MAX_CENTS}
        return Outcome(command.id, data, "DEPOSIT_LIMIT", "The adjustment would lift the balance above what is kept.")
    if command.amount == 0 or not users:
        return Outcome(command.id, {}, "NOT_FOUND", "There is no such account, or nothing to adjust.")
    if users[0][2] + command.amount < 0:
        return Outcome(command.id, {}, "INSUFFICIENT_FUNDS", "The balance does not cover the adjustment.")
    if not commit.claim("adjust", command.reference):
        return _used_elsewhere(command)
    metadata = {"who": command.who, "why": command.why}
    entry = commit.balance_change(command.user_id, command.amount, "ADJUSTMENT", command.reference, metadata)
    if entry is None:
        raise LedgerBroken(f"the balance of {command.user_id} changed inside a transaction")
    enter_operation(commit, "adjust", entry, command.who, command.why)
    data = {"ledger_id": entry.id, "amount": entry.amount, "balance": entry.balance_after, "reference": entry.ref_id}
    return Outcome(command.id, data)


def _same_operation(command: Deposit | Adjust, stored: tuple[Any, ...]) -> Outcome:
    user_id, amount, entry_id, balance_after = stored
    if (user_id, amount) != (command.user_id, command.amount):
        return _used_elsewhere(command)
    data = {"ledger_id": entry_id, "amount": amount, "balance": balance_after, "reference": command.reference}
    return Outcome(command.id, data | {"repeat": True})


def _used_elsewhere(command: Deposit | Adjust) -> Outcome:
    return Outcome(command.id, {}, "REFERENCE_USED", "The reference was used for another account or amount.")


def withdraw(commit: Commit, seals: Seals, command: Withdraw, *, min_cents: int, pending_max: int) -> Outcome:
    """Take the money at once; the withdrawal stays pending until an operator completes or reverses it.

    Each waits for the operator's hands, so an account has few of them that wait, and none of a trifle.
    """
    repeated = _repeat(commit, command.id, command.user_id, command.idempotency)
    if repeated is not None:
        return repeated
    stored = commit.write("withdrawal", command.id)
    if stored:
        balance = commit.write("user", stored[0][1])[0][2]
        return Outcome(command.id, {"withdrawal": _withdrawal(stored[0]), "balance": balance})
    # Redis refuses a nonce that was used, but may forget its last second; what took money is remembered here.
    used = commit.write("withdrawal_by_nonce", command.user_id, command.nonce)
    if used:
        return Outcome(command.id, {"used_by": used[0][0]}, "REPLAYED_NONCE", "The nonce was used before.")
    users = commit.write("user", command.user_id)
    if not users:
        return Outcome(command.id, {}, "NOT_FOUND", "There is no such account.")
    if command.amount < min_cents:
        detail = f"A withdrawal is of {min_cents} cents at least."
        return Outcome(command.id, {"amount_min_cents": min_cents}, "WITHDRAWAL_TOO_SMALL", detail)
    pending: int = commit.write("withdrawals_pending", command.user_id)[0][0]
    if pending >= pending_max:
        data = {"pending": pending, "pending_max": pending_max}
        detail = "So many withdrawals of the account are pending that no other is taken; wait until one has ended."
        return Outcome(command.id, data, "WITHDRAWALS_PENDING", detail)
    seal = seals.needed(command.user_id)
    _, wallet, balance, _ = users[0]
    if balance < command.amount:
        return Outcome(command.id, {"balance": balance}, "INSUFFICIENT_FUNDS", "The balance does not cover the amount.")
    content = (
        command.id,
        command.user_id,
        command.amount,
        seal.close(wallet, about("to_address", command.id)),
        command.nonce,
        command.signed_at_s,
        seal.close(command.signature, about("withdrawal", command.id)),
        commit.now_ms,
        commit.number,
    )
    commit.write("insert_withdrawal", *content, commit.record("withdrawal", *content))
    entry = commit.balance_change(command.user_id, -command.amount, "WITHDRAWAL", command.id)
    if entry is None:
        raise LedgerBroken(f"the balance of {command.user_id} changed inside a transaction")
    view = _withdrawal(commit.write("withdrawal", command.id)[0])
    outcome = Outcome(command.id, {"withdrawal": view, "balance": entry.balance_after})
    return _remember(commit, seals, command, outcome)


def resolve_withdrawal(commit: Commit, command: CompleteWithdrawal | ReverseWithdrawal) -> Outcome:
    """Complete or reverse a pending withdrawal; doing the same again answers as the first time."""
    match command:
        case CompleteWithdrawal():
            status = "completed"
        case ReverseWithdrawal():
            status = "reversed"
        case _:
            assert_never(command)
    rows = commit.write("withdrawal", command.withdrawal_id)
    if not rows:
        return Outcome(command.id, {}, "NOT_FOUND", "There is no such withdrawal.")
    current = _withdrawal(rows[0])
    if current["status"] != "pending":
        same = (current["status"], current["reference"]) == (status, command.reference)
        sentence = "" if same else f"The withdrawal is {current['status']} already."
        return Outcome(command.id, {"withdrawal": current}, None if same else "WITHDRAWAL_RESOLVED", sentence)
    if commit.write("withdrawal_reference", command.reference) or not commit.claim("withdrawal", command.reference):
        return Outcome(command.id, {}, "REFERENCE_USED", "The reference was used for another withdrawal.")
    resolution = (status, command.reference, command.who, command.why, commit.now_ms, commit.number)
    position = commit.record("withdrawal_resolved", command.withdrawal_id, *resolution)
    commit.write("resolve_withdrawal", *resolution, position, command.withdrawal_id)
    if status == "reversed":
        metadata = {"who": command.who, "why": command.why, "reference": command.reference}
        user_id, amount = current["user_id"], current["amount"]
        commit.balance_change(user_id, amount, "WITHDRAWAL_REVERSAL", command.withdrawal_id, metadata)
    return Outcome(command.id, {"withdrawal": _withdrawal(commit.write("withdrawal", command.withdrawal_id)[0])})


def _withdrawal(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(WITHDRAWAL_FIELDS, row, strict=True))


def _repeat(commit: Commit, command_id: str, user_id: str, key: Idempotency | None) -> Outcome | None:
    if key is None:
        return None
    rows = commit.write("idempotency_key", user_id, key.route, key.key, commit.now_ms - KEYS_KEPT_MS)
    if not rows:
        return None
    body_hash, answer = rows[0]
    if body_hash != key.body_hash:
        return Outcome(command_id, {}, "IDEMPOTENCY_KEY_REUSED", CAME_BEFORE)
    stored = msgspec.json.decode(answer, type=Outcome)
    return Outcome(command_id, stored.data, stored.code, stored.detail)


def _remember(commit: Commit, seals: Seals, command: Deposit | Withdraw, outcome: Outcome) -> Outcome:
    key, user_id = command.idempotency, command.user_id
    if key is not None:
        answer = seals.needed(user_id).close(msgspec.json.encode(outcome).decode(), about("answer", key.key))
        commit.write("insert_idempotency_key", user_id, key.route, key.key, key.body_hash, answer, commit.now_ms)
    return outcome
