"""`taptrade deposit` and `taptrade adjust`: an operator credits or corrects an account, once per reference."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from runtime.clock import SystemClock
from runtime.game.money import dollars
from runtime.messaging.commands import Adjust, Deposit, Outcome
from runtime.settings import load
from taptrade.asking import add_authority, ask_writer, require_who, tell, times
from taptrade.books import Account, find_account, open_books

CENTS_MAX = 10**13


def deposit(argv: Sequence[str]) -> int:
    """Credit money that came from outside. The same reference again is answered as the first time, not credited twice.

    Exit codes: 0 credited (now or before), 1 refused, 2 nothing was asked, 3 no answer yet: repeat it as it is.
    """
    parser = argparse.ArgumentParser(prog="taptrade deposit", description=deposit.__doc__)
    parser.add_argument("account", metavar="WALLET|USER_ID")
    parser.add_argument("amount", metavar="AMOUNT_CENTS", type=cents, help="whole cents: 1050 for $10.50")
    add_authority(parser, "names the payment, e.g. the bank's transfer id; unique among deposits")
    given = parser.parse_args(argv)
    require_who(parser, given)
    if given.amount <= 0:
        parser.error("a deposit is more than nothing; `taptrade adjust` takes money away")
    return _ask(Deposit, given, "deposited")


def adjust(argv: Sequence[str]) -> int:
    """Correct a balance by a new entry, up or down but never below zero. Nothing that was entered is ever changed.

    Exit codes: 0 entered (now or before), 1 refused, 2 nothing was asked, 3 no answer yet: repeat it as it is.
    """
    parser = argparse.ArgumentParser(prog="taptrade adjust", description=adjust.__doc__)
    parser.add_argument("account", metavar="WALLET|USER_ID")
    parser.add_argument("amount", metavar="CENTS", type=cents, help="whole cents, negative to take: -1050")
    add_authority(parser, "names the correction, e.g. the ticket's number; unique among adjustments")
    given = parser.parse_args(argv)
    require_who(parser, given)
    if given.amount == 0:
        parser.error("an adjustment by nothing changes nothing")
    return _ask(Adjust, given, "adjusted by")


def cents(text: str) -> int:
    """Read whole cents; a point or a comma would leave open what is meant."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or int(digits) > CENTS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of cents; write 1050 for $10.50")
    return int(text)


def _ask(kind: type[Deposit | Adjust], given: argparse.Namespace, done: str) -> int:
    settings, now_ms = load(), SystemClock().now_ms()
    with open_books(settings) as database:
        account = find_account(database, given.account)
    command = kind(
        user_id=account.user_id,
        amount=given.amount,
        reference=given.reference,
        who=given.who,
        why=given.why,
        **times(now_ms),
    )
    outcome = ask_writer(settings, command, given.wait, account.shard)
    return tell(outcome, _sentence(done, given.amount, account, outcome), as_json=given.json)


def _sentence(done: str, amount: int, account: Account, outcome: Outcome | None) -> str:
    if outcome is None or outcome.code is not None:
        return ""
    data = outcome.data
    before = "; this reference was done before, nothing moved now" if data.get("repeat") else ""
    return (
        f"{done} {dollars(amount)}: account {account.user_id} of {account.shown_wallet} holds"
        f" {dollars(data['balance'])} after entry {data['ledger_id']}{before}"
    )
