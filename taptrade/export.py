"""`taptrade export`: everything that is held about a player, as JSON or as spreadsheets."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import msgspec

from runtime.archive.files import attached
from runtime.clock import SystemClock, rfc3339
from runtime.records.spreadsheet import harmless
from runtime.settings import load
from taptrade.books import find_account, open_books, open_week
from taptrade.exported import Exported, Section, missing_weeks, span_of
from taptrade.output import add_output, print_json


def main(argv: Sequence[str]) -> int:
    """Write down everything that is held about a player: account, logins, limits, money, bets, entries, erasure.

    Amounts are cents, times UTC. Archived weeks are read where their files are here. The exit code is 1 if some are
    not, 2 if there is no such account.
    """
    parser = argparse.ArgumentParser(prog="taptrade export", description=main.__doc__)
    parser.add_argument("account", metavar="WALLET|USER_ID")
    parser.add_argument("--format", choices=("json", "csv"), default="json", help="default: json, one object")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="write files into DIR: export.json, or a spreadsheet a section"
    )
    add_output(parser, "print JSON: the export as --format json has it; with --output, which files were written")
    given = parser.parse_args(argv)
    if given.format == "csv" and given.output is None:
        parser.error("spreadsheets are several files; say by --output DIR where to")
    settings = load()
    here = attached(settings.data)
    with ExitStack() as opened, open_books(settings) as live:
        account = find_account(live, given.account)
        weeks = [opened.enter_context(open_week(settings, week)) for week in here]
        spans = [span_of(live, is_week=False), *(span_of(week, is_week=True) for week in weeks)]
        missing = missing_weeks(live, [week.name for week in here], account.created_ms)
        head = {
            "user_id": account.user_id,
            "exported_at": rfc3339(SystemClock().now_ms()),
            "weeks": [week.name for week in here],
            "weeks_missing": missing,
        }
        sections = Exported(live, spans, account.user_id).sections()
        if given.output is not None:
            given.output.mkdir(mode=0o700, parents=True, exist_ok=True)
        written: list[Path] = []
        if given.format == "csv":
            written = write_sheets(given.output, head, sections)
        elif given.output is not None:
            written = [given.output / "export.json"]
            with written[0].open("w", encoding="utf-8") as file:
                write_json(file, head, sections)
        else:
            write_json(sys.stdout, head, sections)
    if given.json and written:
        print_json({**head, "files": written})
    if missing:
        back = "".join(f"\n  taptrade archive restore {week}" for week in missing)
        print(
            f"bets and entries of {len(missing)} archived weeks are not in it; bring them back:{back}", file=sys.stderr
        )
    return 1 if missing else 0


def write_json(file: TextIO, head: dict[str, Any], sections: dict[str, Section]) -> None:
    """Write one object, a row a line, as the rows are read."""
    file.write(msgspec.json.encode(head).decode().removesuffix("}"))
    for name, rows in sections.items():
        file.write(f',\n"{name}": [')
        for number, row in enumerate(rows):
            file.write(",\n" if number else "\n")
            file.write(msgspec.json.encode(row).decode())
        file.write("]")
    file.write("}\n")


def write_sheets(folder: Path, head: dict[str, Any], sections: dict[str, Section]) -> list[Path]:
    """Write a file for each section that has rows, and one that says what they are of; return them."""
    written = []
    shown = {name: " ".join(value) if isinstance(value, list) else value for name, value in head.items()}
    for name, rows in {"export": iter([shown]), **sections}.items():
        first = next(rows, None)
        if first is None:
            continue
        written.append(folder / f"{name}.csv")
        with written[-1].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, first)
            writer.writeheader()
            writer.writerow({field: harmless(value) for field, value in first.items()})
            writer.writerows({field: harmless(value) for field, value in row.items()} for row in rows)
    return written
