"""Fit a model: numbers from all the days given, and what is offered from days that were each left out once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np

from runtime.clock import rfc3339
from runtime.errors import TaptradeError
from runtime.game.grid import FIRST_PLACEABLE, GridRules
from runtime.game.mixture import MixtureTouch
from runtime.game.signals import NAMES
from runtime.market.models import FORMAT, version_of
from taptrade.calibration.days import Day, Kind, Progress
from taptrade.calibration.moments import Moments, Pricer, moments_of
from taptrade.calibration.network import Network
from taptrade.calibration.offered import EDGES_BP, Evidence, offered_of, own_returns, with_own_excess
from taptrade.calibration.recalibration import recalibration_of, sample_of
from taptrade.calibration.report import Part
from taptrade.calibration.returns import fair_of
from taptrade.calibration.training import Form, Trainer, examples_of

TRAIN_EVERY_MS = 3_000
JUDGE_EVERY_MS = 1_000
HOUR_MS = 3_600_000
FOLDS = 8
"""A single day is left out by every eighth hour instead."""
LEVELS_KEPT = (0.1, 99.9)
"""Percentiles of the volatility seen in the fit: what lies beyond is another market."""


class FitError(TaptradeError):
    """These recordings make no fit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to fit, for which grid, and what is kept back."""

    kind: str
    rules: GridRules
    house_edge_bp: int
    doubt_bp: int
    left_out_ms: tuple[tuple[int, int], ...]
    seed: int
    form: Form


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model file without its report, and what that report is made of."""

    document: dict[str, Any]
    evidence: list[Evidence]
    judged: list[Part]
    """The moments left out, each with what was fitted without them."""
    attacks: list[tuple[list[Part], list[Part]]]
    """For each fit, the moments that it was made of and those left out, both priced by it."""
    reasons: tuple[str, ...]
    """Why it is no proof, whatever the report says."""


def fit(days: Sequence[Day], plan: Plan, progress: Progress) -> Fitted:
    """Fit on all days, and judge by fits that each left one of them out; raise FitError where that cannot be."""
    _check_apart(days)
    folds = _folds(days, plan)
    if not all(_says_something(each) for fold in folds for each in fold):
        raise FitError(_too_short(days))
    weights = [
        _trained(train, plan, lambda share, n=number: progress(f"fit {n} of {len(folds) + 1}", share))
        for number, (train, _) in enumerate(folds, 1)
    ]
    everything = [moments for _, moments in _moments(days, plan, TRAIN_EVERY_MS)]
    own = _trained(everything, plan, lambda share: progress(f"fit {len(folds) + 1} of {len(folds) + 1}", share))
    document = _document(days, plan, own, _levels(everything))
    samples = [
        [sample_of(moments, Network(document | {"weights": each}, plan.house_edge_bp)) for moments in judge]
        for (_, judge), each in zip(folds, weights, strict=True)
    ]
    # A fit of all folds' days is that much less sure of itself than one of all but one fold.
    share = (len(folds) - 1) / len(folds)
    document["recalibration"] = [round(share * each, 5) for each in recalibration_of(list(chain(*samples)))]
    # Each is judged with the recalibration of the others: none by what its own days said.
    numbers = [
        {"weights": each, "recalibration": recalibration_of(list(chain(*samples[:position], *samples[position + 1 :])))}
        for position, each in enumerate(weights)
    ]
    left_out = [(moments, each) for (_, judge), each in zip(folds, numbers, strict=True) for moments in judge]
    decided, evidence = offered_of(left_out, document, plan.house_edge_bp)
    document |= decided
    paid_back = own_returns([(moments, {}) for moments in everything], document, plan.house_edge_bp)
    fair = fair_of(plan.house_edge_bp)
    document["offered"]["rates_bp"] = with_own_excess(document["offered"]["rates_bp"], paid_back, fair)
    document["left_out_by"] = "day" if len(days) > 1 else "hour"
    document["version"] = version_of(document)
    # What was judged are arrays; what is shipped is the model.
    _priced(document, plan)[0].check(everything[0])
    attacks = []
    for (train, judge), each in zip(folds, numbers, strict=True):
        pricer, network = _priced(document | each, plan)
        attacks.append(([(moments, pricer, network) for moments in train], [(m, pricer, network) for m in judge]))
    judged = [part for _, parts in attacks for part in parts]
    return Fitted(document, evidence, judged, attacks, _reasons(days, document))


def _check_apart(days: Sequence[Day]) -> None:
    """Refuse days that have moments in common: what was fitted on one of them would be judged by the other."""
    by_hash: dict[str, Day] = {}
    for day in days:
        if day.sha256 in by_hash:
            raise FitError(f"{day.name} is the same recording as {by_hash[day.sha256].name}: name it once")
        by_hash[day.sha256] = day
    for one, other in pairwise(sorted(days, key=lambda day: int(day.ids[0]))):
        if other.ids[0] < one.ids[-1]:
            raise FitError(f"{one.name} and {other.name} are of the same time: each must be a time of its own")


def _says_something(moments: Sequence[Moments]) -> bool:
    """Tell whether a column ahead of any of the moments was covered."""
    return any(bool(each.day.windows.covered[each.day.windows.index(each.starts_s)].any()) for each in moments)


def _too_short(days: Sequence[Day]) -> str:
    if len(days) > 1:
        return "of each recording something must be left that --leave-out does not name, and of a minute or more"
    return f"{days[0].name} is too short for a fit: one recording needs something to fit on in each of {FOLDS} hours"


def _reasons(days: Sequence[Day], document: dict[str, Any]) -> tuple[str, ...]:
    found = []
    if len(days) < 2:
        found.append("it was fitted on one recording, so there is no day that it was not fitted on")
    if not all(document["offered"].values()):
        found.append("nothing is offered: no rates, columns or volatility that the days left out speak for")
    return tuple(found)


def _moments(days: Sequence[Day], plan: Plan, every_ms: int) -> list[tuple[Day, Moments]]:
    found = []
    for day in days:
        moments = moments_of(day, plan.rules, every_ms, plan.seed)
        kept = np.ones(len(moments), dtype=bool)
        for first_ms, last_ms in plan.left_out_ms:
            kept &= (moments.now_ms < first_ms) | (moments.now_ms >= last_ms)
        found.append((day, moments.only(kept)))
    return found


def _folds(days: Sequence[Day], plan: Plan) -> list[tuple[list[Moments], list[Moments]]]:
    """Return pairs of what to fit on and what to judge by, which have no day, or at least no hour, in common."""
    train = _moments(days, plan, TRAIN_EVERY_MS)
    judge = _moments(days, plan, JUDGE_EVERY_MS)
    if len(days) > 1:
        return [([each for other, each in train if other is not day], [moments]) for day, moments in judge]
    (_, fitted), (_, judged) = train[0], judge[0]
    hours, judged_hours = fitted.now_ms // HOUR_MS % FOLDS, judged.now_ms // HOUR_MS % FOLDS
    return [([fitted.only(hours != fold)], [judged.only(judged_hours == fold)]) for fold in range(FOLDS)]


def _trained(moments: Sequence[Moments], plan: Plan, told: Any) -> dict[str, Any]:
    trainer = Trainer(examples_of(moments), plan.form, plan.seed)
    trainer.run(told)
    return trainer.weights()


def _levels(moments: Sequence[Moments]) -> list[float]:
    """Return the bounds of the thirds of the volatility that was seen."""
    level = np.concatenate([each.day.signals[each.ticks, 0] for each in moments])
    low, high = LEVELS_KEPT
    return [round(float(each), 3) for each in np.percentile(level, [low, 100 / 3, 200 / 3, high])]


def _document(days: Sequence[Day], plan: Plan, weights: dict[str, Any], levels: list[float]) -> dict[str, Any]:
    kinds = [day.kind for day in days]
    observed = Kind(
        float(np.median([kind.ticks_per_s for kind in kinds])), float(np.median([kind.paused for kind in kinds]))
    )
    return {
        "format": FORMAT,
        "id": MixtureTouch.id,
        "kind": plan.kind,
        "observed": observed.as_json(),
        "grid": {"column_seconds": plan.rules.column_seconds, "row_step_cents": plan.rules.row_step_cents},
        "signals": list(NAMES),
        "house_edge_bp": plan.house_edge_bp,
        "doubt_bp": plan.doubt_bp,
        "form": {"units": plan.form.units, "decay": plan.form.decay},
        "fitted_on": [_source(day) for day in days],
        "left_out": [[rfc3339(first), rfc3339(last)] for first, last in plan.left_out_ms],
        "weights": weights,
        "recalibration": [0.0, 0.0, 0.0, 0.0],
        "offered": {
            "rates_bp": [[EDGES_BP[0], EDGES_BP[-1], 0]],
            "columns": list(range(FIRST_PLACEABLE, plan.rules.horizon_columns + 1)),
            "levels": [[low, high] for low, high in pairwise(levels)],
        },
    }


def _source(day: Day) -> dict[str, Any]:
    first_ms, last_ms = int(day.ids[0]), int(day.ids[-1])
    return {
        "name": day.name,
        "sha256": day.sha256,
        "rows": day.rows,
        "from": rfc3339(first_ms),
        "to": rfc3339(last_ms),
    }


def _priced(document: dict[str, Any], plan: Plan) -> tuple[Pricer, Network | None]:
    network = Network(document, plan.house_edge_bp)
    model = MixtureTouch(document, plan.rules, plan.house_edge_bp)
    return Pricer(model, network), network


def written(document: dict[str, Any]) -> str:
    """Return the text of a model file: JSON with a line for each key, and for each matrix of the network."""
    parts = []
    for name, value in document.items():
        if name == "weights":
            rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in value.items())
            parts.append(f'"weights": {{\n{rows}\n}}')
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
