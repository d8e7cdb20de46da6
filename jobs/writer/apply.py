"""What a command but a bet does to the ledger: a case for each."""

from __future__ import annotations

from typing import assert_never

from jobs.writer import accounts, money
from jobs.writer.archives import record_archive
from jobs.writer.book import Book
from jobs.writer.erasures import forget_player, refusal_of_forgotten
from jobs.writer.overrides import note_override
from jobs.writer.rules import WriterRules
from jobs.writer.settle import Settlement, begin_column
from runtime.game.ledger import Commit
from runtime.messaging.commands import (
    Adjust,
    AdoptGuest,
    AnyCommand,
    CompleteWithdrawal,
    Deposit,
    ForgetPlayer,
    NoteOverride,
    OpenAccount,
    OpenBucket,
    Outcome,
    PlaceBet,
    PlaceBets,
    RecordArchive,
    ReverseWithdrawal,
    SetLimits,
    SettleColumn,
    Withdraw,
)


def apply(  # noqa: C901, PLR0912  # a case for each command
    commit: Commit, book: Book, settlement: Settlement, rules: WriterRules, command: AnyCommand
) -> Outcome:
    """Do what a command says; a refusal is an outcome like another."""
    refused = refusal_of_forgotten(commit, command)
    if refused is not None:
        return refused
    match command:
        case OpenAccount():
            return accounts.open_account(commit, book.seals, command)
        case AdoptGuest():
            return accounts.adopt_guest(commit, book.seals, command)
        case SettleColumn():
            return begin_column(commit, book, command)
        case OpenBucket():
            return settlement.standings.open_again(commit, command)
        case Deposit():
            return money.deposit(commit, book, command)
        case Withdraw():
            least, most = rules.withdrawal_min_cents, rules.withdrawals_pending_max
            seals = book.seals
            return money.withdraw(commit, seals, command, min_cents=least, pending_max=most)
        case Adjust():
            return money.adjust(commit, command)
        case SetLimits():
            return accounts.set_limits(commit, book, command, house_minutes=rules.reality_check_minutes)
        case NoteOverride():
            return note_override(commit, command)
        case ForgetPlayer():
            return forget_player(commit, book, command, kept_days=rules.records_kept_days)
        case RecordArchive():
            return record_archive(commit, command)
        case CompleteWithdrawal() | ReverseWithdrawal():
            return money.resolve_withdrawal(commit, command)
        case PlaceBet() | PlaceBets():
            raise TypeError("bets are placed together")
        case _:
            assert_never(command)
