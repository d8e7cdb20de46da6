"""What a model offers: only what days left out of its fit speak for, and the less is known, the more is kept back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from runtime.game.buckets import RATE_EDGES_BP
from runtime.game.money import BASIS_POINTS
from runtime.game.rewards import RATE_BP_MAX
from taptrade.calibration.moments import Moments
from taptrade.calibration.network import Network
from taptrade.calibration.returns import Estimate, Tally, fair_of
from taptrade.calibration.training import CHUNK

EDGES_BP = (*RATE_EDGES_BP[:-1], RATE_BP_MAX + 1)
"""Where one stretch of rates ends and the next begins; none holds its last one."""
HALF_WIDTH_MAX = 0.05
"""An interval that reaches no further than this from the estimate needs no more than the usual doubt."""
RATES_WIDTH_MAX = 0.065
DOUBTFUL_WIDTH_MAX = 0.1
"""Rates, and columns or thirds of the volatility, may be known this badly, if more is kept back for them."""
THIRDS = ("calm third", "middle third", "wild third")

Judged = tuple[Moments, dict[str, Any]]
"""Moments left out, and the document's numbers as they were fitted without them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one stretch of rates, one column or one third of the volatility returned on days left out."""

    name: str
    estimate: Estimate
    offered: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as the model file has it."""
        return {"name": self.name, **self.estimate.as_json(), "offered": self.offered}


def offered_of(
    judged: Sequence[Judged], document: dict[str, Any], house_edge_bp: int
) -> tuple[dict[str, Any], list[Evidence]]:
    """Decide what is offered: first which rates, and then, at those rates, which columns and which volatility.

    Judged without the usual doubt, which is kept back on top: the evidence is about the fit. Return what of the
    document is decided by it, and the evidence.
    """
    fair = fair_of(house_edge_bp)
    offered = dict(document["offered"])
    stretches = tuple(pairwise(EDGES_BP))
    by_rate, _, _ = _tallies(judged, document, house_edge_bp, stretches)
    rates = [
        _judged(f"{first / BASIS_POINTS:g}x to {(last - last % 10) / BASIS_POINTS:g}x", tally, fair, RATES_WIDTH_MAX)
        for (first, last), tally in zip(stretches, by_rate, strict=True)
    ]
    kept = [(first, last, each) for (first, last), each in zip(stretches, rates, strict=True) if each.offered]
    offered["rates_bp"] = [[first, last, _doubt_bp(each)] for first, last, each in kept]
    _, by_column, by_level = _tallies(judged, document | {"offered": offered}, house_edge_bp, stretches)
    columns = [_judged(f"column k+{column}", tally, fair, DOUBTFUL_WIDTH_MAX) for column, tally in by_column.items()]
    offered["columns"] = [column for column, each in zip(by_column, columns, strict=True) if each.offered]
    levels = [_judged(name, tally, fair, DOUBTFUL_WIDTH_MAX) for name, tally in zip(THIRDS, by_level, strict=True)]
    offered["levels"] = [pair for pair, each in zip(document["offered"]["levels"], levels, strict=True) if each.offered]
    everywhere_bp = max(document["doubt_bp"], *(_doubt_bp(each) for each in (*columns, *levels)))
    offered["rates_bp"] = [[first, last, max(everywhere_bp, _doubt_bp(each))] for first, last, each in kept]
    evidence = [*rates, *columns, *levels]
    return {"offered": offered, "evidence": [each.as_json() for each in evidence]}, evidence


def own_returns(own: Sequence[Judged], document: dict[str, Any], house_edge_bp: int) -> list[Evidence]:
    """Return what each offered stretch of rates gave back on the days of the fit itself, with nothing kept back."""
    stretches = [(first, last) for first, last, _ in document["offered"]["rates_bp"]]
    bare = document["offered"] | {"rates_bp": [[first, last, 0] for first, last in stretches]}
    by_rate, _, _ = _tallies(own, document | {"offered": bare}, house_edge_bp, stretches)
    fair = fair_of(house_edge_bp)
    return [_judged("", tally, fair, RATES_WIDTH_MAX) for tally in by_rate]


def with_own_excess(rates_bp: Sequence[Sequence[int]], own: Sequence[Evidence], fair: float) -> list[list[int]]:
    """Return the stretches with more kept back where the fit pays too much even on its own days.

    The network bends less where few stakes are lost, next to the price, and what it misses there it will miss again.
    """
    found = []
    for (first, last, doubt_bp), each in zip(rates_bp, own, strict=True):
        excess = 0.0 if each.estimate.value is None else max(0.0, each.estimate.value - fair)
        found.append([first, last, doubt_bp + round(BASIS_POINTS * excess)])
    return found


def _judged(name: str, tally: Tally, fair: float, half_width_max: float) -> Evidence:
    found = tally.estimate()
    if found.value is None or found.low is None or found.high is None:
        return Evidence(name, found, offered=False)
    half_width = max(found.value - found.low, found.high - found.value)
    return Evidence(name, found, offered=half_width <= half_width_max and found.low <= fair <= found.high)


def _doubt_bp(evidence: Evidence) -> int:
    """Return what must be kept back so that the upper end of an offered interval pays no player more than he stakes."""
    found = evidence.estimate
    if not evidence.offered or found.value is None or found.low is None or found.high is None:
        return 0
    narrow = max(found.value - found.low, found.high - found.value) <= HALF_WIDTH_MAX
    return 0 if narrow or found.high <= 1 else math.ceil(BASIS_POINTS * (found.high - 1))


def _tallies(
    judged: Sequence[Judged], document: dict[str, Any], house_edge_bp: int, stretches: Sequence[tuple[int, int]]
) -> tuple[list[Tally], dict[int, Tally], list[Tally]]:
    by_rate = [Tally() for _ in stretches]
    by_column = {column: Tally() for column in document["offered"]["columns"]}
    by_level = [Tally() for _ in document["offered"]["levels"]]
    for whole, numbers in judged:
        network = Network(document | numbers, house_edge_bp)
        for first in range(0, len(whole), CHUNK):
            moments = whole.part(first, first + CHUNK)
            rates = network.rates_bp(moments)
            touched, covered = moments.outcomes()
            bets = (rates > 0) & covered[:, :, None]
            paid = np.where(bets & touched, rates / BASIS_POINTS, 0.0)
            for tally, (low, high) in zip(by_rate, stretches, strict=True):
                inside = bets & (rates >= low) & (rates < high)
                tally.add(moments.now_ms, inside.sum(axis=(1, 2)), (paid * inside).sum(axis=(1, 2)))
            for position, column in enumerate(moments.distances.tolist()):
                if column in by_column:
                    by_column[column].add(moments.now_ms, bets[:, position].sum(axis=1), paid[:, position].sum(axis=1))
            level = moments.day.signals[moments.ticks, 0]
            for tally, (least, most) in zip(by_level, document["offered"]["levels"], strict=True):
                there = (level >= least) & (level < most)
                tally.add(moments.now_ms, bets.sum(axis=(1, 2)) * there, paid.sum(axis=(1, 2)) * there)
    return by_rate, by_column, by_level
