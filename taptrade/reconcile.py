"""`taptrade reconcile`: a payment processor's CSV against the ledger."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from runtime.clock import rfc3339_if_any
from runtime.game.money import dollars
from runtime.settings import load
from taptrade.arguments import WithExamples, typed
from taptrade.books import MOMENT, moment, open_books
from taptrade.output import add_output
from taptrade.payment_file import Columns, Meaning, PaymentFile, PaymentFileError
from taptrade.reconciliation import Difference, Reconciliation, Sum
from taptrade.tables import show_table

SHOWN_MAX = 1_000
AGREES, DIFFERS = 0, 1
EXAMPLES = """\
examples:
  taptrade reconcile payments.csv
  taptrade reconcile --unit dollars --reference-column source_id --amount-column gross --time-column created_utc \\
      --kind-column reporting_category --deposit charge --withdrawal transfer --skip fee --skip payout report.csv
"""


class Report(msgspec.Struct, frozen=True):
    """What came of it; `differences` are the first so many, `counts` all of them by kind."""

    agrees: bool
    from_at: str | None
    to_at: str | None
    deposits: Sum
    withdrawals: Sum
    skipped: dict[str, int]
    counts: dict[str, int]
    differences: list[Difference]


def main(argv: Sequence[str]) -> int:
    """Hold a payment processor's CSV against the ledger and name what differs: a row twice, another amount or account,
    a payment that only one of them has, and a withdrawal that the processor paid and the ledger has not completed.

    Several files are one. What the files lack is asked for from their first payment to their last, or from --from to
    --to. Exit codes: 0 it agrees, 1 it differs, 2 it cannot be read.
    """
    given = _parser().parse_args(argv)
    columns = Columns(**{name: getattr(given, f"{name}_column") for name in Columns.__slots__})
    meaning = Meaning(
        _words(given.deposit_words, "deposit"),
        _words(given.withdrawal_words, "withdrawal"),
        _words(given.skip),
        given.unit == "dollars",
        given.currency,
        given.zone,
        given.time_format,
    )
    skipped: dict[str, int] = {}
    with open_books(load()) as database:
        found = Reconciliation(database, sys.maxsize if given.all else SHOWN_MAX)
        for path in given.files:
            with _opened(path) as lines:
                file = PaymentFile(str(path), lines, columns, meaning)
                found.take(file)
            for word, count in file.skipped.items():
                skipped[word] = skipped.get(word, 0) + count
        from_ms = found.first_ms if given.from_ms is None else given.from_ms
        to_ms = found.last_ms if given.to_ms is None else given.to_ms
        if from_ms is not None and to_ms is not None:
            found.ask_for_the_rest(from_ms, to_ms, given.who)
    sums = found.in_file
    span = rfc3339_if_any(from_ms), rfc3339_if_any(to_ms)
    counts = {str(what): count for what, count in sorted(found.counts.items())}
    report = Report(not counts, *span, sums["deposit"], sums["withdrawal"], skipped, counts, found.differences)
    _show(report, as_json=given.json)
    return AGREES if report.agrees else DIFFERS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="taptrade reconcile",
        description=main.__doc__,
        epilog=EXAMPLES,
        formatter_class=WithExamples,
    )
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="CSV with a head, - for standard input")
    defaults = Columns()
    for name, meant in (
        ("reference", "the payment's name in the ledger, or a withdrawal's id"),
        ("amount", "what was paid"),
        ("time", "when"),
        ("kind", "deposit or withdrawal; without it, the amount's sign tells"),
        ("account", "wallet or user id; without it, whose payment it is goes unchecked"),
        ("currency", "without it, all is in --currency"),
        ("debit", "a second column of amounts, of what went out"),
    ):
        default = getattr(defaults, name)
        told = f"{meant} (default: {default})" if default else meant
        parser.add_argument(f"--{name}-column", default=default, metavar="NAME", help=told)
    for kind in ("deposit", "withdrawal"):
        parser.add_argument(
            f"--{kind}", dest=f"{kind}_words", action="append", metavar="WORD", help=f"what the file calls a {kind}"
        )
    parser.add_argument("--skip", action="append", default=[], metavar="WORD", help="a kind to pass over, such as fees")
    parser.add_argument("--unit", choices=("cents", "dollars"), default="cents", help="of amounts (default: cents)")
    parser.add_argument("--currency", default="USD", metavar="CODE", help="default: USD")
    parser.add_argument("--zone", type=typed(_zone), default="UTC", help="of times that name none (default: UTC)")
    parser.add_argument("--time-format", default="", metavar="FORMAT", help="as strptime has it: '%%d/%%m/%%Y %%H:%%M'")
    parser.add_argument("--from", dest="from_ms", type=moment, metavar="TIME", help=MOMENT)
    parser.add_argument("--to", dest="to_ms", type=moment, metavar="TIME", help="the last moment of the span")
    parser.add_argument(
        "--who", action="append", default=[], help="ask for what these entered only, such as 'payment processor'"
    )
    parser.add_argument("--all", action="store_true", help=f"tell all differences, not the first {SHOWN_MAX:,}")
    add_output(parser)
    return parser


def _words(given: list[str] | None, *otherwise: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in given or otherwise)


def _zone(text: str) -> tzinfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no zone as Europe/Amsterdam is") from None


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    descriptor = sys.stdin.fileno() if str(path) == "-" else path
    with open(descriptor, encoding="utf-8-sig", newline="", closefd=str(path) != "-") as lines:
        try:
            yield lines
        except UnicodeDecodeError as ex:
            raise PaymentFileError(f"{path} is no text in UTF-8") from ex


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(report).decode())
        return
    columns = ("line", "kind", "reference", "differs", "what")
    rows = [(one.line, one.kind, one.reference, one.what, one.sentence) for one in report.differences]
    if rows:
        show_table(columns, rows, right=("line",))
    left = sum(report.counts.values()) - len(rows)
    if left:
        print(f"and {left:,} more: --all tells them")
    told = ", ".join(
        f"{sum_.count:,} {name} of {dollars(sum_.cents)}"
        for name, sum_ in (("deposits", report.deposits), ("withdrawals", report.withdrawals))
    )
    passed_over = ", ".join(f"{count:,} {word}" for word, count in report.skipped.items())
    if passed_over:
        print(f"passed over: {passed_over}")
    print(f"{told}, from {report.from_at} to {report.to_at}: {_conclusion(report)}")


def _conclusion(report: Report) -> str:
    if report.agrees:
        return "file and ledger agree"
    return ", ".join(f"{count:,} {what}" for what, count in report.counts.items())
