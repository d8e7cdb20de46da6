"""`taptrade withdrawal`: list what players want out, and complete or reverse it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.auth.addresses import to_checksum_address
from runtime.clock import SystemClock, rfc3339
from runtime.game.ids import ulid_ms
from runtime.game.money import dollars
from runtime.messaging.commands import CompleteWithdrawal, Outcome, ReverseWithdrawal
from runtime.settings import Settings, load
from taptrade.asking import add_authority, add_output, ask_writer, tell, times
from taptrade.books import find_account, open_books
from taptrade.tables import show_table

STATUSES = ("pending", "completed", "reversed")
SHOWN_MAX = 100
FIELDS = (
    "id, user_id, amount, to_address, status, requested_at, reference, who, why, resolved_at, requested_commit,"
    " resolved_commit"
)


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
    listing.add_argument("--limit", type=int, default=SHOWN_MAX, help="at most so many (default: %(default)s)")
    add_output(listing)
    for name, sentence in (("complete", "the payment went out"), ("reverse", "give the money back")):
        action = actions.add_parser(name, help=sentence)
        action.add_argument("id", metavar="ID", type=withdrawal_id)
        add_authority(action, "names the payment or the decision; unique among withdrawals")
    given = parser.parse_args(argv)
    settings = load()
    return _list(settings, given) if given.action == "list" else _resolve(settings, given)


def withdrawal_id(text: str) -> str:
    """Read the id of a withdrawal."""
    if ulid_ms(text.upper()) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no id of a withdrawal; `taptrade withdrawal list` shows them")
    return text.upper()


def _list(settings: Settings, given: argparse.Namespace) -> int:
    conditions: list[str] = []
    params: list[Any] = []
    with open_books(settings) as database:
        if not given.all:
            # Spelled out, not as a parameter: so SQLite knows that the index of the pending ones will do.
            conditions.append(f"status = '{given.status}'")
        if given.account:
            conditions.append("user_id = ?")
            params.append(find_account(database, given.account).user_id)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = database.dicts(f"SELECT {FIELDS} FROM withdrawals{where} ORDER BY id LIMIT ?", [*params, given.limit])  # noqa: S608
    if given.json:
        print(msgspec.json.encode([_view(row) for row in rows]).decode())
    else:
        columns = ("id", "requested", "to", "amount", "status", "reference", "who", "why")
        show_table(columns, [_cells(row) for row in rows], right=("amount",))
    return 0


def _view(row: dict[str, Any]) -> dict[str, Any]:
    resolved_ms = row["resolved_at"]
    return {
        **row,
        "to_address": to_checksum_address(row["to_address"]),
        "requested_at": rfc3339(row["requested_at"]),
        "resolved_at": None if resolved_ms is None else rfc3339(resolved_ms),
    }


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    view = _view(row)
    names = ("status", "reference", "who", "why")
    return (
        view["id"],
        view["requested_at"],
        view["to_address"],
        dollars(view["amount"]),
        *(view[name] for name in names),
    )


def _resolve(settings: Settings, given: argparse.Namespace) -> int:
    kind = CompleteWithdrawal if given.action == "complete" else ReverseWithdrawal
    command = kind(
        withdrawal_id=given.id,
        who=given.who,
        why=given.why,
        reference=given.reference,
        **times(SystemClock().now_ms()),
    )
    outcome = ask_writer(settings, command, given.wait)
    return tell(outcome, _sentence(outcome), as_json=given.json)


def _sentence(outcome: Outcome | None) -> str:
    if outcome is None or outcome.code is not None:
        return ""
    found = outcome.data["withdrawal"]
    return (
        f"withdrawal {found['id']} of {dollars(found['amount'])} to {to_checksum_address(found['to_address'])} is"
        f" {found['status']} since {rfc3339(found['resolved_at'])}, reference {found['reference']}, by {found['who']}"
    )
