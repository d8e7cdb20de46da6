"""`taptrade shards`: the ledgers of a house on PostgreSQL, and one more."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from jobs.writer.rules import risk_of
from runtime.clock import SystemClock
from runtime.game.shards import begins_after
from runtime.postgresql import choice
from runtime.records.queries import QUERIES
from runtime.settings import Settings, load
from taptrade import running
from taptrade.books import open_books
from taptrade.output import add_output, print_json
from taptrade.supervised import begin_writer
from taptrade.tables import show_table

COLUMNS = ("shard", "commits", "accounts", "bets", "head")


def main(argv: Sequence[str]) -> int:
    """List the shards, the ledgers that accounts are spread over, each with a writer and a hash chain of its own.

    `add` makes one more, for which bets wait a few seconds where the house is at work; it takes the accounts that are
    opened from then on until it has as many as the others, and nobody moves. It cannot be taken back.
    """
    parser = argparse.ArgumentParser(prog="taptrade shards", description=main.__doc__)
    actions = parser.add_subparsers(dest="action", metavar="list|add")
    listing = actions.add_parser("list", help="list them (the same without a word)")
    adding = actions.add_parser("add", help="make one more; the house may be at work")
    for each in (parser, listing, adding):
        add_output(each)
    given = parser.parse_args(argv)
    settings = load()
    if given.action == "add":
        shard = choice.add_shard(settings, SystemClock(), risk_of(settings))
        run = running.find(settings.data)
        trouble = begin_writer(settings.data, run.pid, shard) if run else "nothing runs in this data folder"
        if given.json:
            print_json({"ok": True, "shard": shard, "writer_begun": not trouble})
        elif trouble:
            print(f"shard {shard} is there; begin its writer: `taptrade serve writer-{shard}` ({trouble})")
        else:
            print(f"shard {shard} is there, and its writer begins; on other machines it is `serve writer-{shard}`")
        return 0
    shown = [_seen(settings, shard) for shard in range(1, choice.shards_of(settings) + 1)]
    if given.json:
        print_json(shown)
    else:
        show_table(COLUMNS, [tuple(one.values()) for one in shown], right=COLUMNS[:-1])
    return 0


def _seen(settings: Settings, shard: int) -> dict[str, Any]:
    with open_books(settings, shard) as database:
        ((number, accounts, bets, head),) = database.execute(QUERIES["ledger_size"]) or [(0, 0, 0, None)]
    commits = max(0, number - begins_after(shard))
    return {"shard": shard, "commits": commits, "accounts": accounts, "bets": bets, "head": head}
