"""The adversary: boosted trees that learn on the fit's own days where the model is wrong, and bet on it on others.

It knows all that the model knows, and the model's probability besides. Where it still earns on days that neither has
seen, the model leaves something on the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from runtime.game.money import BASIS_POINTS
from taptrade.calibration.days import Flags, Floats, Progress, Whole
from taptrade.calibration.network import inputs_of
from taptrade.calibration.returns import Estimate, Tally

if TYPE_CHECKING:
    from taptrade.calibration.report import Part

ROWS_MAX = 600_000
TREES = 100
PROBABILITY_MIN = 0.02
"""Rows weigh 1 by their probability, as stakes do, down to this one: below it a few hits would lead."""
CHUNK = 1_000
THRESHOLDS = (1.0, 1.05, 1.1)


@dataclass(frozen=True, slots=True)
class Attack:
    """What the adversary made of the cells that it expected a gain from."""

    learnt_from: tuple[str, ...]
    by_threshold: tuple[tuple[float, float, Estimate], ...]
    """What a bet had to return by its own reckoning, the share of the cells that did, and what they returned."""

    @property
    def estimate(self) -> Estimate:
        """What it made where it expected a gain at all."""
        return self.by_threshold[0][2]

    def as_json(self) -> dict[str, Any]:
        """Return it with the names of the report."""
        (_, share, estimate), *_ = self.by_threshold
        return {
            "share": share,
            **estimate.as_json(),
            "learnt_from": list(self.learnt_from),
            "by_threshold": [
                {"above": above, "share": share, **estimate.as_json()} for above, share, estimate in self.by_threshold
            ],
        }


@dataclass(frozen=True, slots=True)
class Examples:
    """Offered cells whose window settled, one a row."""

    inputs: npt.NDArray[np.float32]
    probability: Floats
    rates: Floats
    touched: Flags
    now_ms: Whole


def attack(
    pairs: Sequence[tuple[Sequence[Part], Sequence[Part]]], fair: float, progress: Progress, seed: int
) -> Attack:
    """Train on the first of each pair and bet on the second."""
    tallies = {threshold: Tally() for threshold in THRESHOLDS}
    bets = dict.fromkeys(THRESHOLDS, 0)
    seen, steps = 0, 4 * len(pairs)
    for number, (train, judge) in enumerate(pairs):

        def told(step: int, n: int = number) -> None:
            progress("the adversary", (4 * n + step) / steps)

        found = examples_of(train, fair, seed)
        told(1)
        expects = _learn(found, seed)
        told(3)
        cells = examples_of(judge, fair, seed + 1)
        seen += len(cells.rates)
        worth = expects(cells.inputs) * cells.rates if len(cells.rates) else cells.rates
        for threshold, tally in tallies.items():
            on = worth > threshold
            bets[threshold] += int(on.sum())
            paid = np.where(cells.touched, cells.rates, 0.0)
            tally.add(cells.now_ms[on], np.ones(int(on.sum())), paid[on])
        told(4)
    names = sorted({moments.day.name for train, _ in pairs for moments, _, _ in train})
    found_by = [(above, round(bets[above] / max(1, seen), 4), tally.estimate()) for above, tally in tallies.items()]
    return Attack(tuple(names), tuple(found_by))


def _learn(examples: Examples, seed: int) -> Callable[[npt.NDArray[np.float32]], Floats]:
    """Return what tells the probabilities of cells."""
    if len(np.unique(examples.touched)) < 2:
        share = float(examples.touched.mean()) if len(examples.touched) else 0.0
        return lambda inputs: np.full(len(inputs), share)
    trees = HistGradientBoostingClassifier(
        max_iter=TREES,
        learning_rate=0.07,
        max_leaf_nodes=31,
        max_bins=63,
        min_samples_leaf=500,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=seed,
    )
    weights = 1 / np.maximum(examples.probability, PROBABILITY_MIN)
    trees.fit(examples.inputs, examples.touched, sample_weight=weights)
    return lambda inputs: np.asarray(trees.predict_proba(inputs)[:, 1])


def examples_of(parts: Sequence[Part], fair: float, seed: int) -> Examples:
    """Draw offered cells of all moments, at most ROWS_MAX of them."""
    random = np.random.default_rng(seed)
    each_moment = max(1, ROWS_MAX // max(1, sum(len(moments) for moments, _, _ in parts)))
    found: list[Examples] = []
    for whole, pricer, network in parts:
        for first in range(0, len(whole), CHUNK):
            moments = whole.part(first, first + CHUNK)
            rates = pricer.rates_bp(moments)
            touched, covered = moments.outcomes()
            m, c, r = np.nonzero((rates > 0) & covered[:, :, None])
            some = random.choice(len(m), min(len(m), each_moment * len(moments)), replace=False)
            m, c, r = m[some], c[some], r[some]
            signals, opens_s = moments.day.signals[moments.ticks[m]], moments.opens_s[m, c]
            low = (moments.lows[m, r] - moments.close[m]).astype(float)
            high = low + moments.rules.row_step_cents
            shown = rates[m, c, r] / BASIS_POINTS
            probability = (
                network.probabilities(signals, opens_s, low[:, None], high[:, None])[:, 0] if network else fair / shown
            )
            staying, turning, unit_cents = inputs_of(signals, opens_s)
            away = 0.5 * (low + high) / unit_cents
            age_s = (moments.now_ms[m] - moments.day.ids[moments.ticks[m]]) / 1000
            rest = [np.log(np.maximum(probability, 1e-6)), np.abs(away), away, opens_s, age_s]
            columns = [staying, turning, turning * np.sign(away)[:, None], np.stack(rest, axis=1)]
            inputs = np.concatenate(columns, axis=1).astype(np.float32)
            found.append(Examples(inputs, probability, shown, touched[m, c, r], moments.now_ms[m]))
    if not found:
        nothing = np.zeros(0)
        return Examples(np.zeros((0, 1), dtype=np.float32), nothing, nothing, nothing > 0, nothing.astype(np.int64))
    return Examples(
        *(np.concatenate([getattr(each, name) for each in found]) for name in Examples.__dataclass_fields__)
    )
