"""`taptrade market`: how the buckets of bets stand, and the operator's word that opens a closed one again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.clock import SystemClock
from runtime.errors import NotFound
from runtime.game.money import dollars
from runtime.messaging.commands import OpenBucket
from runtime.operating.buckets import BucketView, bucket_named, opened_in_any, read_buckets
from runtime.operating.words import WHY_MAX
from runtime.postgresql import choice
from runtime.settings import Settings, load
from taptrade.arguments import said, seconds
from taptrade.asking import WAIT_S, NotAsked, add_who, ask_writer, require_who, tell, times
from taptrade.books import open_books
from taptrade.output import add_output
from taptrade.pricing import reward_model
from taptrade.tables import show_table

COLUMNS = ("bucket", "bets", "staked", "return", "e-value", "standing", "since", "who", "why")


def main(argv: Sequence[str]) -> int:
    """Show each bucket of bets (a rate, a column ahead) with what players got back, or open a closed one again.

    A bucket closes by itself when its bets refute that a player's return is at most 1; why must be known before it is
    opened. Exit codes of `open`: 0 open again, 1 refused, 2 nothing was asked, 3 no answer yet.
    """
    parser = argparse.ArgumentParser(prog="taptrade market", description=main.__doc__)
    actions = parser.add_subparsers(dest="action", metavar="list|open")
    listing = actions.add_parser("list", help="show the buckets (the same without a word)")
    opening = actions.add_parser("open", help="take bets of a closed bucket again")
    opening.add_argument("bucket", metavar="BUCKET", help="as the table names it: 20-50x/7, or 20-50x/all")
    add_who(opening)
    opening.add_argument("--why", required=True, type=said(WHY_MAX), help="why; kept with the change for ever")
    opening.add_argument(
        "--wait", type=seconds, default=WAIT_S, metavar="SECONDS", help="longest wait for the commit (%(default)s)"
    )
    for each in (parser, listing):
        each.add_argument("--all", action="store_true", help="those of earlier models too")
    for each in (parser, listing, opening):
        add_output(each)
    given = parser.parse_args(argv)
    if given.action == "open":
        require_who(parser, given)
    settings = load()
    return _open(settings, given) if given.action == "open" else _list(settings, given)


def _list(settings: Settings, given: argparse.Namespace) -> int:
    model = reward_model(settings)
    with open_books(settings) as database, database.snapshot():
        views = read_buckets(database.execute, None if given.all else (model.id, model.version))
    if given.json:
        print(msgspec.json.encode(views).decode())
        return 0
    lead = ("model",) if given.all else ()
    rows = [(*(f"{one.model_id} {one.model_version}" for _ in lead), *_cells(one)) for one in views]
    show_table((*lead, *COLUMNS), rows, right=("bets", "staked", "return", "e-value"))
    return 0


def _cells(one: BucketView) -> tuple[Any, ...]:
    back = "" if one.paid_back is None else f"{one.paid_back:.2f}"
    figures = (one.bets, dollars(one.staked_cents), back, f"{one.e_value:.3g}")
    return (one.bucket, *figures, one.standing, one.changed_at, one.who, one.why)


def _open(settings: Settings, given: argparse.Namespace) -> int:
    model = reward_model(settings)
    try:
        bucket = bucket_named(given.bucket, model.id, model.version)
    except NotFound as ex:
        raise NotAsked(ex.detail) from ex
    command = OpenBucket(**bucket._asdict(), who=given.who, why=given.why, **times(SystemClock().now_ms()))
    shards = range(1, choice.shards_of(settings) + 1)
    outcome = opened_in_any([ask_writer(settings, command, given.wait, shard) for shard in shards])
    sentence = f"bucket {bucket.name} is open: its bets are taken, and the evidence against it begins anew"
    return tell(outcome, sentence, as_json=given.json, again="look at `taptrade market` before you repeat it")
