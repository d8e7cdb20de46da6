"""`taptrade recompute`: the settled bets of a span decided anew, and every difference named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
from rich.progress import Progress, TaskProgressColumn, TimeRemainingColumn

from runtime.clock import SystemClock, rfc3339
from runtime.explanation.recomputed import Difference, Recomputation
from runtime.settings import load
from taptrade.bars import bar
from taptrade.books import MOMENT, moment, open_books, open_ticks
from taptrade.yardsticks import yardsticks_of

SPAN_MS = 3_600_000
LISTED_MAX = 10_000
"""Differences that one JSON object lists; all are counted."""


def main(argv: Sequence[str]) -> int:
    """Decide the settled bets of a span anew, from evidence, recorded ticks and stored inputs; name what differs.

    A span holds the columns that start in it. The exit code is 1 if anything differs, 2 if nothing can be read.
    """
    parser = argparse.ArgumentParser(prog="taptrade recompute", description=main.__doc__)
    hour = "default: an hour before the end"
    parser.add_argument("--from", dest="from_ms", type=moment, metavar="TIME", help=f"{MOMENT}; {hour}")
    parser.add_argument("--to", dest="to_ms", type=moment, metavar="TIME", help="the end, not included; default: now")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(argv)
    to_ms = SystemClock().now_ms() if given.to_ms is None else given.to_ms
    from_ms = max(0, to_ms - SPAN_MS) if given.from_ms is None else given.from_ms
    if from_ms >= to_ms:
        parser.error("the span ends before it begins")
    settings = load()
    listed: list[Difference] = []
    found = 0
    with open_books(settings) as database, _progress() as shown:
        ticks = open_ticks(settings.ticks_database)
        walk = Recomputation(database.execute, ticks, yardsticks_of(settings))
        task = shown.add_task("columns", total=to_ms - from_ms)
        for start_s, differences in walk.walk(from_ms, to_ms):
            shown.update(task, completed=start_s * 1000 - from_ms)
            found += len(differences)
            if given.json:
                listed += differences[: LISTED_MAX - len(listed)]
            else:
                for each in differences:
                    print(_line(each))
        if ticks is not None:
            ticks.close()
    counted = _counted(walk, from_ms, to_ms, found)
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(counted | {"differences": listed})).decode())
    else:
        print(_summary(walk, from_ms, to_ms, found))
    return 1 if found else 0


def _progress() -> Progress:
    # What differs goes to stdout: above the bar on a terminal, and nowhere else than to stdout where that is a file.
    return bar(TaskProgressColumn(), TimeRemainingColumn(), redirect_stdout=sys.stdout.isatty())


def _counted(walk: Recomputation, from_ms: int, to_ms: int, found: int) -> dict[str, Any]:
    return {
        "from": rfc3339(from_ms),
        "to": rfc3339(to_ms),
        "columns": walk.columns,
        "columns_from_ticks": walk.columns_from_ticks,
        "bets": walk.bets,
        "bets_from_ticks": walk.bets_from_ticks,
        "rates": walk.rates,
        "rates_not_recomputed": [
            {"model": model, "version": version, "bets": bets}
            for (model, version), bets in sorted(walk.rates_left_out.items(), key=str)
        ],
        "unsettled_bets": walk.unsettled_bets,
        "unsettled_columns": walk.unsettled_columns,
        "differences_found": found,
        "ok": not found,
    }


def _line(one: Difference) -> str:
    whose = f"column {one.column_start_s}" if one.bet_id is None else f"bet {one.bet_id} of column {one.column_start_s}"
    stored, again = (_shown(each) for each in (one.stored, one.recomputed))
    return f"{whose}: {one.what} stored as {stored}, by {one.by} it is {again}" + (
        f" ({one.finding})" if one.finding else ""
    )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    return str(value)


def _summary(walk: Recomputation, from_ms: int, to_ms: int, found: int) -> str:
    lines = [
        f"{rfc3339(from_ms)} to {rfc3339(to_ms)}",
        f"decided anew from the evidence: {walk.bets} bets of {walk.columns} columns",
        f"from the recorded ticks too: {walk.bets_from_ticks} bets of {walk.columns_from_ticks} columns",
        f"recomputed from stored inputs: {walk.rates} rates",
    ]
    for (model, version), bets in sorted(walk.rates_left_out.items(), key=str):
        lines.append(f"{bets} rates not recomputed: model {model} {version}")
    if walk.unsettled_columns or walk.unsettled_bets:
        lines.append(f"not settled yet: {walk.unsettled_columns} columns, {walk.unsettled_bets} bets of others")
    lines.append("nothing differs" if not found else f"{found} differences")
    return "\n".join(lines)
