"""`taptrade audit`: recount every cent and walk the hash chain."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.progress import MofNCompleteColumn, TimeRemainingColumn

from jobs.upkeep.house_audit import audit_house
from runtime.settings import load
from taptrade.bars import bar
from taptrade.books import open_books
from taptrade.output import add_output, print_json

SHOWN_MAX = 100


def main(argv: Sequence[str]) -> int:
    """Audit the live database; the last line is the summary.

    The exit code is 1 if anything is wrong, 2 if the database cannot be read.
    """
    parser = argparse.ArgumentParser(prog="taptrade audit", description=main.__doc__)
    parser.add_argument("--all", action="store_true", help=f"print all findings, not the first {SHOWN_MAX}")
    add_output(parser)
    shown = parser.parse_args(argv)
    settings = load()
    with open_books(settings), bar(MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("commits", total=None)
        report = audit_house(settings, lambda done, total: progress.update(task, completed=done, total=total))
    findings = report.findings if shown.all else report.findings[:SHOWN_MAX]
    if shown.json:
        print_json(
            {
                "ok": report.ok,
                "summary": report.summary,
                "head": report.head,
                "findings_count": len(report.findings),
                "findings": findings,
            }
        )
    else:
        print(*map(str, findings), report.summary, sep="\n")
    return 0 if report.ok else 1
