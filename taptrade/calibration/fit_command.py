"""`taptrade calibrate fit`: make a model file of recorded days, with the report on days left out in it."""

from __future__ import annotations

import argparse
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from runtime.game.money import factor
from runtime.market.models import rules_of
from runtime.setting_forms import whole
from runtime.settings import load
from taptrade.arguments import count, typed
from taptrade.books import moment
from taptrade.calibration.days import read_day
from taptrade.calibration.fit import Plan, fit, written
from taptrade.calibration.offered import Evidence
from taptrade.calibration.options import add_fill_delay
from taptrade.calibration.progress import told_on_a_bar
from taptrade.calibration.report import report
from taptrade.calibration.training import Form
from taptrade.output import add_output, print_json

DOUBT_BP = 200
"""Kept back of every rate beyond the edge: no day is quite like those of a fit."""
KIND_LENGTH_MAX = 60
USUAL = Form()


def kind(text: str) -> str:
    """Read the name of a kind of feed: an argparse type."""
    known = text and len(text) <= KIND_LENGTH_MAX and all(each.isalnum() or each in "-_.," for each in text)
    if not known or not text.isascii() or text != text.lower():
        raise ArgumentTypeError(f"{text!r}: must be small letters, digits, and - _ . or commas between sources")
    return text


@typed
def decay(text: str) -> float:
    """Read a decay: an argparse type."""
    found = float(text)
    if not 0 <= found <= 1:
        raise ValueError("must be between 0 and 1")
    return found


def span(text: str) -> tuple[int, int]:
    """Read FROM/TO: an argparse type."""
    first, slash, last = text.partition("/")
    if not slash:
        raise ArgumentTypeError(f"{text!r}: must be two times with a slash between them")
    from_ms, to_ms = moment(first), moment(last)
    if from_ms >= to_ms:
        raise ArgumentTypeError(f"{text!r}: ends before it begins")
    return from_ms, to_ms


def model_file(text: str) -> Path:
    """Read where a model file is to be written: an argparse type."""
    path = Path(text)
    if path.suffix != ".json":
        raise ArgumentTypeError(f"{text!r}: a model file ends in .json")
    if not path.absolute().parent.is_dir():
        raise ArgumentTypeError(f"{text!r}: there is no such folder")
    return path


def main(argv: Sequence[str]) -> int:
    """Fit a model on recorded days of one feed, and judge it by days that were each left out of a fit once.

    Rates, columns and thirds of the volatility are offered only where the 99 % interval of what they returned on days
    left out holds 1 - edge, and is narrow enough. Of a single day every eighth hour is left out instead, which live
    mode does not take for proof. The exit code is 1 if the report does not pass; the file is written all the same.
    """
    given = _parser().parse_args(argv)
    settings = load()
    plan = Plan(
        given.kind,
        rules_of(settings),
        settings.house_edge_bp,
        given.doubt_bp,
        tuple(given.leave_out),
        given.seed,
        Form(given.units, given.decay),
    )
    with told_on_a_bar() as progress:
        days = [read_day(path, plan.rules, progress) for path in given.files]
        fitted = fit(days, plan, progress)
        document = fitted.document
        found = report(
            fitted.judged,
            model=(document["id"], document["version"]),
            house_edge_bp=plan.house_edge_bp,
            fill_delay_ms=given.fill_delay_ms,
            attacks=fitted.attacks,
            progress=progress,
        )
    reasons = [*found.reasons, *fitted.reasons]
    document["report"] = {**found.as_json(), "passes": not reasons, "reasons": reasons}
    given.out.write_text(written(document))
    if given.json:
        print_json({"file": given.out, "left_out_by": document["left_out_by"], "report": document["report"]})
        return 1 if reasons else 0
    show(fitted.evidence, document["offered"]["rates_bp"])
    for reason in reasons:
        print(f"does not pass: {reason}")
    print(
        f"{given.out}: {document['version']}, fitted on {len(days)} recordings, left out by {document['left_out_by']}"
    )
    return 1 if reasons else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="taptrade calibrate fit", description=main.__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording of a day or more")
    parser.add_argument("--out", type=model_file, required=True, metavar="FILE", help="the model file to write, *.json")
    parser.add_argument(
        "--kind", type=kind, required=True, help="what feed it is, as TAPTRADE_FEED has it in live mode"
    )
    parser.add_argument(
        "--leave-out", type=span, action="append", default=[], metavar="FROM/TO", help="a span that is not fitted on"
    )
    parser.add_argument(
        "--doubt-bp",
        type=typed(whole(0, 1_000)),
        default=DOUBT_BP,
        metavar="N",
        help="basis points kept back of every rate beyond the edge; default: %(default)s",
    )
    add_fill_delay(parser)
    parser.add_argument("--units", type=count(64), default=USUAL.units, help="of the network; fewer for fewer days")
    parser.add_argument("--decay", type=decay, default=USUAL.decay, help="of its numbers; more for fewer days")
    parser.add_argument("--seed", type=int, default=1, help="of the fit; default: 1")
    add_output(parser, "print the report on the days left out as JSON")
    return parser


def show(evidence: Sequence[Evidence], rates_bp: Sequence[Sequence[int]]) -> None:
    """Print what the days left out say, and what is offered by it."""
    table = Table("what", "bets", "returned", "99 %", "offered", title="days left out")
    for each in evidence:
        found = each.estimate
        if found.value is None:
            table.add_row(each.name, "0", "", "", "no")
        else:
            interval = f"{found.low:.3f} to {found.high:.3f}"
            table.add_row(each.name, f"{found.bets:,}", f"{found.value:.3f}", interval, "yes" if each.offered else "no")
    Console().print(table)
    for first, last, doubt_bp in rates_bp:
        print(f"offered: {factor(first)} to {factor(last)}, with {doubt_bp / 100:g} % kept back beyond the edge")
