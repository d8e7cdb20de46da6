"""`taptrade dispute`: what support answers with, a statement of one account over a span of time that adds up."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import msgspec

from runtime.archive.weeks import week_named
from runtime.clock import SystemClock, rfc3339
from runtime.game.ids import ulid_ms
from runtime.game.ledger import SQL, read_cut
from runtime.game.money import dollars
from runtime.history.shelves import PAST
from runtime.settings import load
from runtime.storage.database import Database
from taptrade.arguments import typed
from taptrade.books import MOMENT, Account, find_account, moment, open_books, open_ticks, open_week
from taptrade.case import Case, collect, prove_bets, spreadsheet
from taptrade.tables import show_table
from taptrade.yardsticks import yardsticks_of


def main(argv: Sequence[str]) -> int:
    """Show every bet and ledger entry of an account in a span of time, explained, with totals that add up.

    The exit code is 1 if they do not, or if a bet's proof does not hold; 2 if there is no such account.
    """
    parser = argparse.ArgumentParser(prog="taptrade dispute", description=main.__doc__)
    parser.add_argument("account", metavar="WALLET|USER_ID")
    parser.add_argument("--from", dest="from_ms", type=moment, default=0, metavar="TIME", help=MOMENT)
    parser.add_argument("--to", dest="to_ms", type=moment, metavar="TIME", help="the first moment after the span")
    parser.add_argument("--week", type=typed(week_named), help="in an archived week that lies here, such as 2026_w53")
    parser.add_argument("--verify", action="store_true", help="prove each bet as `taptrade explain` does")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object")
    output.add_argument("--csv", action="store_true", help="print the entries as a spreadsheet")
    given = parser.parse_args(argv)
    settings = load()
    with open_books(settings) as whole:
        account = find_account(whole, given.account)
    of_account = open_books(settings, account.shard)  # a chain is read in the ledger that it is of
    with of_account as live, open_week(settings, given.week) if given.week else nullcontext(live) as database:
        to_ms = _after_all(database) if given.to_ms is None else given.to_ms
        if given.from_ms >= to_ms:
            parser.error("the span ends before it begins")
        case = collect(database, account, given.from_ms, to_ms)
        _tell_of_older(database, account, given.from_ms)
        if given.verify:
            ticks = open_ticks(settings.ticks_database)
            case = prove_bets(case, database, ticks, yardsticks_of(settings), live if given.week else None)
            if ticks is not None:
                ticks.close()
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(case)).decode())
    elif given.csv:
        print(spreadsheet(case), end="")
    else:
        show(case)
    for fault in case.faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 0 if case.adds_up else 1


def _tell_of_older(database: Database, account: Account, from_ms: int) -> None:
    """Say where entries of the span lie that are not in this database."""
    if not database.execute(PAST["has_older"], (account.user_id,)):
        return
    cut_ms = ulid_ms(read_cut(database.execute).cut_entry) or 0
    if from_ms <= cut_ms:
        print(f"what was up to {rfc3339(cut_ms)} lies in archived weeks: --week shows one", file=sys.stderr)


def _after_all(database: Database) -> int:
    """Return a time after the last commit: the writer's clock may be ahead of this machine's."""
    rows = database.execute(SQL["last_commit"])
    newest_ms: int = max([SystemClock().now_ms(), *(row[1] for row in rows)])
    return newest_ms + 1


def show(case: Case) -> None:
    """Print a case for people."""
    print(f"account {case.user_id}, wallet {case.wallet}, from {case.from_at} to {case.to_at}")
    columns = ("time", "entry", "amount", "balance", "what")
    rows = [("", "opening", "", dollars(case.opening_balance), "")]
    for one in case.entries:
        cents = (dollars(one.amount), dollars(one.balance_after))
        rows += [(one.created_at, one.ref_type, *cents, one.explanation)]
    rows.append(("", "closing", "", dollars(case.closing_balance), ""))
    show_table(columns, rows, right=("amount", "balance"))
    idle = [bet for bet in case.bets if not bet.entries]
    if idle:
        print(f"\n{len(idle)} bets that moved no money:")
        show_table(
            ("time", "bet", "cell", "stake", "what"),
            [(b.bet.placed_at, b.bet.id, b.bet.cell_id, dollars(b.bet.amount), b.explanation) for b in idle],
            right=("stake",),
        )
    print()
    moved = [(kind, str(sum_.count), dollars(sum_.cents)) for kind, sum_ in case.totals.items()]
    show_table(("kind", "entries", "sum"), moved, right=("entries", "sum"))
    print(f"\n{case.sentence}")
