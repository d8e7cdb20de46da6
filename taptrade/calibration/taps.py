"""Every shown cell tapped at every moment: returns by rate, by column and by rule, in one pass over the moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.game.buckets import RATE_EDGES_BP
from runtime.game.money import BASIS_POINTS
from runtime.game.rewards import RATE_BP_MAX
from taptrade.calibration.days import Flags, Floats, Progress
from taptrade.calibration.past import Past
from taptrade.calibration.returns import Estimate, Tally
from taptrade.calibration.rules import RULES, Board

if TYPE_CHECKING:
    from taptrade.calibration.report import Part

EDGES = tuple(edge / BASIS_POINTS for edge in RATE_EDGES_BP)
CHUNK = 2_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """What cells of these rates returned; the first is included and the last is not, save the greatest rate."""

    first: float
    last: float
    estimate: Estimate

    def as_json(self) -> dict[str, Any]:
        """Return it with the names of the report."""
        return {"from": self.first, "to": self.last, **self.estimate.as_json()}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a fixed rule on public information returned."""

    name: str
    estimate: Estimate
    bets_a_day: int
    """Cells a day, each counted once however often it was tapped: a player bets on a cell once."""

    def as_json(self) -> dict[str, Any]:
        """Return it with the names of the report."""
        return {"name": self.name, **self.estimate.as_json(), "bets_a_day": self.bets_a_day}


@dataclass(frozen=True, slots=True)
class Reliability:
    """Cells of about one predicted probability, and the share of them that was touched."""

    predicted: float
    touched: Estimate

    def as_json(self) -> dict[str, Any]:
        """Return it with the names of the report."""
        found = self.touched
        return {
            "predicted": self.predicted,
            "bets": found.bets,
            "touched": found.value,
            "low": found.low,
            "high": found.high,
        }


@dataclass(frozen=True, slots=True)
class Counted:
    """What all the taps came to."""

    overall: Estimate
    buckets: tuple[Stretch, ...]
    columns: tuple[tuple[int, Estimate], ...]
    """By the distance from the current column."""
    offered_median: float | None
    rules: tuple[Rule, ...]
    reliability: tuple[Reliability, ...]


def count_taps(parts: Sequence[Part], fair: float, progress: Progress) -> Counted:
    """Tap every shown cell of all moments."""
    counts = _Counts()
    total, done = max(1, sum(len(moments) for moments, _, _ in parts)), 0
    for whole, pricer, network in parts:
        past = Past.of(whole.day)
        for first in range(0, len(whole), CHUNK):
            moments = whole.part(first, first + CHUNK)
            rates_bp = pricer.rates_bp(moments)
            forecasts = network.forecasts(rates_bp) if network else fair * BASIS_POINTS / np.maximum(rates_bp, 1)
            counts.add(Board.of(moments, rates_bp, past), forecasts)
            done += len(moments)
            progress("taps and rules", done / total)
    return counts.found(_days(parts))


def _days(parts: Sequence[Part]) -> float:
    """Return how many days the moments span."""
    return sum(int(moments.now_ms[-1] - moments.now_ms[0]) for moments, _, _ in parts if len(moments)) / DAY_MS


class _Counts:
    def __init__(self) -> None:
        self._overall = Tally()
        self._edges_bp = np.array([*RATE_EDGES_BP[:-1], RATE_BP_MAX + 1])
        self._buckets = [Tally() for _ in EDGES[1:]]
        self._columns: dict[int, Tally] = {}
        self._shares: list[Floats] = []
        self._rules = {name: Tally() for name in RULES}
        self._cells = dict.fromkeys(RULES, 0)
        # Three to a doubling of the rate; the predicted probability is what the rate says of it.
        count = round(3 * np.log2(EDGES[-1] / EDGES[0]))
        self._bins_bp = np.round(np.geomspace(EDGES[0] * BASIS_POINTS, RATE_BP_MAX + 1, count + 1)).astype(np.int64)
        self._reliability = [Tally() for _ in range(count)]
        self._predicted = np.zeros(count)

    def add(self, board: Board, forecasts: Floats) -> None:
        """Count the taps of some moments, with the probabilities behind their rates."""
        now_ms, taps, paid, rates = board.moments.now_ms, board.taps, board.paid, board.rates
        self._overall.add(now_ms, _sums(taps), _sums(paid))
        self._shares.append(_sums(rates > 0) / rates[0].size)
        for position, distance in enumerate(board.moments.distances.tolist()):
            tally = self._columns.setdefault(distance, Tally())
            tally.add(now_ms, taps[:, position].sum(axis=1), paid[:, position].sum(axis=1))
        self._by_rate(board, forecasts)
        for name, mask in board.masks():
            chosen = mask & taps
            self._rules[name].add(now_ms, _sums(chosen), _sums(np.where(chosen, paid, 0.0)))
            self._cells[name] += board.distinct(chosen)

    def _by_rate(self, board: Board, forecasts: Floats) -> None:
        where = np.nonzero(board.taps)
        rates, paid, now_ms = board.rates[where], board.paid[where], board.moments.now_ms[where[0]]
        bucket = np.searchsorted(self._edges_bp, rates, side="right") - 1
        for number, tally in enumerate(self._buckets):
            inside = bucket == number
            tally.add(now_ms[inside], np.ones(int(inside.sum())), paid[inside])
        bin_ = np.searchsorted(self._bins_bp, rates, side="right") - 1
        touched = (paid > 0).astype(float)
        self._predicted += np.bincount(bin_, forecasts[where], len(self._predicted))
        for number, tally in enumerate(self._reliability):
            inside = bin_ == number
            tally.add(now_ms[inside], np.ones(int(inside.sum())), touched[inside])

    def found(self, days: float) -> Counted:
        """Return what it came to."""
        shares = np.concatenate(self._shares) if self._shares else np.zeros(0)
        each = [tally.estimate() for tally in self._reliability]
        return Counted(
            overall=self._overall.estimate(),
            buckets=tuple(
                Stretch(first, last, tally.estimate())
                for first, last, tally in zip(EDGES, EDGES[1:], self._buckets, strict=False)
            ),
            columns=tuple((distance, tally.estimate()) for distance, tally in sorted(self._columns.items())),
            offered_median=round(float(np.median(shares)), 4) if len(shares) else None,
            rules=tuple(
                Rule(name, tally.estimate(), round(self._cells[name] / max(days, 1e-9)))
                for name, tally in self._rules.items()
            ),
            reliability=tuple(
                Reliability(round(float(predicted) / touched.bets, 5), touched)
                for predicted, touched in zip(self._predicted, each, strict=True)
                if touched.bets
            ),
        )


def _sums(values: Flags | Floats) -> Floats:
    """Return the sums by moment."""
    found: Floats = values.sum(axis=(1, 2), dtype=np.float64)
    return found
