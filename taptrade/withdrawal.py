"""`taptrade withdrawal`: list what players want out, and complete or reverse it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import structs

from runtime.clock import SystemClock
from runtime.game.money import dollars
from runtime.messaging.commands import CompleteWithdrawal, ReverseWithdrawal
from runtime.operating.withdrawals import STATUSES, list_withdrawals, shard_of_withdrawal
from runtime.records.withdrawals import OperatorsWithdrawal, operators_view
from runtime.settings import Settings, load
from taptrade.arguments import count, id_of
from taptrade.asking import add_authority, ask_writer, require_who, tell, times
from taptrade.books import find_account, open_books
from taptrade.output import add_output
from taptrade.tables import show_table

SHOWN_MAX, LIMIT_MAX = 100, 10**6


def main(argv: Sequence[str]) -> int:
    """List withdrawals, or end a pending one: its money was taken when the player asked for it.

    Complete it once the payment went out, to no other address than the one listed; reverse it to give the money back.
    """
    parser = argparse.ArgumentParser(prog="taptrade withdrawal", description=main.__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|complete|reverse")
    listing = actions.add_parser("list", help="list withdrawals, oldest first")
    which = listing.add_mutually_exclusive_group()
    which.add_argument("--status", choices=STATUSES, default="pending", help="default: pending")
    which.add_argument("--all", action="store_true", help="whatever their status")
    listing.add_argument("--account", metavar="WALLET|USER_ID", help="of one account only")
    listing.add_argument(
        "--limit", type=count(LIMIT_MAX), default=SHOWN_MAX, help="at most so many (default: %(default)s)"
    )
    add_output(listing)
    for name, sentence in (("complete", "the payment went out"), ("reverse", "give the money back")):
        action = actions.add_parser(name, help=sentence)
        action.add_argument("id", metavar="ID", type=id_of("withdrawal"))
        add_authority(action, "names the payment or the decision; unique among withdrawals")
    given = parser.parse_args(argv)
    if given.action != "list":
        require_who(parser, given)
    settings = load()
    return _list(settings, given) if given.action == "list" else _resolve(settings, given)


def _list(settings: Settings, given: argparse.Namespace) -> int:
    status = None if given.all else given.status
    with open_books(settings) as database:
        user_id = find_account(database, given.account).user_id if given.account else None
        listed = list_withdrawals(database.dicts, status=status, user_id=user_id, limit=given.limit)
    if given.json:
        print(msgspec.json.encode(listed).decode())
    else:
        columns = ("id", "requested", "to", "amount", "status", "reference", "who", "why")
        show_table(columns, [_cells(one) for one in listed], right=("amount",))
    return 0


def _cells(one: OperatorsWithdrawal) -> tuple[Any, ...]:
    where = (one.id, one.requested_at, one.to_address, dollars(one.amount))
    return (*where, one.status, one.reference, one.who, one.why)


def _resolve(settings: Settings, given: argparse.Namespace) -> int:
    kind = CompleteWithdrawal if given.action == "complete" else ReverseWithdrawal
    command = kind(
        withdrawal_id=given.id,
        who=given.who,
        why=given.why,
        reference=given.reference,
        **times(SystemClock().now_ms()),
    )
    with open_books(settings) as database:
        shard = shard_of_withdrawal(database.execute, given.id)
    outcome = ask_writer(settings, command, given.wait, shard)
    sentence = ""
    if outcome is not None and "withdrawal" in outcome.data:
        shown = operators_view(outcome.data["withdrawal"])
        sentence = _sentence(shown)
        outcome = structs.replace(outcome, data=outcome.data | {"withdrawal": shown})
    return tell(outcome, sentence, as_json=given.json)


def _sentence(one: OperatorsWithdrawal) -> str:
    return (
        f"withdrawal {one.id} of {dollars(one.amount)} to {one.to_address} is {one.status} since {one.resolved_at},"
        f" reference {one.reference}, by {one.who}"
    )
