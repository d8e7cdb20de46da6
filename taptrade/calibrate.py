"""`taptrade calibrate`: play recordings through feed, model, grid and settlement, and tell what players got back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.clock import rfc3339
from runtime.game.rewards import RewardModelError
from runtime.market.models import rules_of
from runtime.setting_forms import whole
from runtime.settings import Settings, load
from taptrade.arguments import typed
from taptrade.calibration.candidate import Candidate, candidate, of_file, shipped_for
from taptrade.calibration.days import Day, read_day
from taptrade.calibration.lessons import lessons
from taptrade.calibration.moments import moments_of
from taptrade.calibration.options import add_fill_delay
from taptrade.calibration.picture import draw
from taptrade.calibration.progress import told_on_a_bar
from taptrade.calibration.report import Part, Report, report
from taptrade.calibration.tables import show
from taptrade.output import add_output, print_json, say_failed

EVERY_MS = 1_000
SLOW_EVERY_MS = 30_000
SEED = 1
UNJUDGED: dict[str, Any] = {
    "model": None,
    "overall": None,
    "buckets": [],
    "columns": [],
    "offered_median": None,
    "rules": [],
    "head_start": [],
    "adversary": None,
}
"""A report's keys where there is no model to report on."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A report on files, with what it does not say itself."""

    days: tuple[Day, ...]
    model: Candidate | None
    report: Report | None
    reasons: tuple[str, ...]
    skipped: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what is written as JSON."""
        model, kinds = self.model, [day.kind for day in self.days]
        return {
            **(self.report.as_json() if self.report else UNJUDGED),
            "kind": {
                "model": model.kind if model else None,
                "fitted": model.observed.as_json() if model and model.observed else None,
                "fits": all(model.observed.fits(kind) for kind in kinds) if model and model.observed else None,
            },
            "files": [
                {
                    "name": day.name,
                    "sha256": day.sha256,
                    "rows": day.rows,
                    "from": rfc3339(int(day.ids[0])),
                    "to": rfc3339(int(day.ids[-1])),
                    "observed": day.kind.as_json(),
                    "fitted_on": bool(model and model.knows(day)),
                }
                for day in self.days
            ],
            "passes": not self.reasons,
            "reasons": list(self.reasons),
            "skipped": list(self.skipped),
        }


def main(argv: Sequence[str]) -> int:
    """Tap every shown cell once a second, and tell what came back: in all, by rate, by column, by simple rules, for a
    player who sees prices ahead, and for an adversary that learnt from the fit's days.

    Without --model it is TAPTRADE_REWARD_MODEL, else the shipped model that was fitted for such a feed. The exit code
    is 1 if the model does not pass, was fitted on a FILE, or none is for this kind of feed, and 2 if a file cannot be
    read. `taptrade calibrate fit` makes a model file of recordings.
    """
    if argv and argv[0] == "fit":
        from taptrade.calibration.fit_command import main as fit

        return fit(argv[1:])
    parser = _parser()
    given = parser.parse_args(argv)
    for path in (given.out, given.png):
        if path and not path.absolute().parent.is_dir():
            parser.error(f"{path}: there is no such folder")
    try:
        found = judge(given, load())
    except RewardModelError as ex:
        say_failed(str(ex), json=given.json)
        return 2
    if given.out:
        given.out.write_text(json.dumps(found.as_json(), indent=2) + "\n", encoding="utf-8")
    if given.png and found.report:
        draw(found.report, given.png)
    if given.json:
        print_json(found.as_json())
        return 1 if found.reasons else 0
    _say(found)
    if given.png and not found.report:
        print(f"note: nothing was drawn to {given.png}: there is no report without a model")
    return 1 if found.reasons else 0


def _say(found: Judgement) -> None:
    if found.report:
        show(found.report)
    for sentence in found.skipped:
        print(f"note: {sentence}")
    for reason in found.reasons:
        print(f"does not pass: {reason}")
    if found.report and not found.reasons:
        print(f"passes: {found.report.id} {found.report.version}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="taptrade calibrate", description=main.__doc__)
    parser.add_argument(
        "files", nargs="+", help="a recording, ts_ms,price: plain, .gz or .zst", type=Path, metavar="FILE"
    )
    parser.add_argument("--model", default="", help="a model file (.json), or a class as package.module:Class")
    parser.add_argument(
        "--trained-on",
        nargs="+",
        default=[],
        type=Path,
        metavar="FILE",
        help="what the adversary learns from; default: the recordings of the fit, found by their hashes",
    )
    add_fill_delay(parser)
    parser.add_argument(
        "--every-ms",
        type=typed(whole(100, 3_600_000)),
        metavar="N",
        help=f"one moment in so many; default: {EVERY_MS}, or {SLOW_EVERY_MS} for a model that is no file",
    )
    add_output(parser, "print the report as JSON")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write the report as JSON into a file")
    parser.add_argument(
        "--png", type=Path, metavar="OUT", help="draw how far it can be relied on, and what buckets returned"
    )
    return parser


def judge(given: argparse.Namespace, settings: Settings) -> Judgement:
    """Read the recordings and report on the model."""
    rules, edge_bp = rules_of(settings), settings.house_edge_bp
    named = given.model or settings.reward_model
    model = candidate(named, rules, edge_bp) if named else None
    with told_on_a_bar() as progress:
        days = tuple(read_day(path, rules, progress) for path in dict.fromkeys(given.files))
        if model is None:
            path = shipped_for(days)
            if path is None:
                kinds = "; ".join(f"{day.name} has {day.kind}" for day in days)
                return Judgement(days, None, None, (f"no model was fitted for this kind of feed: {kinds}",), ())
            model = of_file(path, rules, edge_bp)
        every_ms = given.every_ms or (EVERY_MS if model.network else SLOW_EVERY_MS)
        parts: list[Part] = [(moments_of(day, rules, every_ms, SEED), model.pricer, model.network) for day in days]
        _check(parts)
        folders = {path.absolute().parent for path in (*given.files, *([model.path] if model.path else ()))}
        learnt, skipped = lessons(days, model, rules, given.trained_on, sorted(folders), progress)
        found = report(
            parts,
            model=(model.model.id, model.model.version),
            house_edge_bp=edge_bp,
            fill_delay_ms=given.fill_delay_ms,
            attacks=[(learnt, parts)] if learnt else [],
            progress=progress,
        )
    known = [said for said in map(model.knows, days) if said]
    return Judgement(days, model, found, (*_foreign(days, model), *known, *found.reasons), tuple(skipped))


def _foreign(days: Sequence[Day], model: Candidate) -> list[str]:
    """Say which days are of another kind of feed than the model's."""
    observed = model.observed
    if observed is None:
        return []
    return [
        f"{day.name} is another kind of feed than the model's, {model.kind}: it has {day.kind}, and the fit {observed}"
        for day in days
        if not observed.fits(day.kind)
    ]


def _check(parts: Sequence[Part]) -> None:
    """Hold the arrays against the model itself."""
    try:
        for moments, pricer, _ in parts:
            pricer.check(moments)
    except ValueError as ex:
        raise RewardModelError(f"the arrays do not price as the model does: {ex}") from ex
