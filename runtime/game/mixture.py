"""The mixture model: a fitted forecast of where a window opens and how far it reaches, made into the rate of a cell.

For each column a small network turns the tick's signals into a mixture of logistic distributions of the price at which
the window opens, each with a mean excursion up and down from there (a mixture density network, Bishop 1994). A band is
touched when the opening price lies in it, widened on either side by the excursion that leads to it:

    probability = sum of weight x [F((high + fall - drift) / scale) - F((low - rise - drift) / scale)]

and then recalibrated: four numbers, for the level and its change with the rate, with the time ahead and with both,
take back what the fit was too sure of. The correction fades out where a touch is all but certain.

The network is even: a mirrored price gives the mirrored rates, so no direction of the days that it was fitted on is
learnt. Each part of the sum falls with the distance from its drift, and so, beyond all drifts, does the probability.
Numbers come from a model file; they are fitted by `taptrade calibrate fit`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from runtime.game.grid import Cell, GridRules, column_of
from runtime.game.mixture_weights import EXCURSIONS, INPUT_MAX, SCALES, Row, Weights
from runtime.game.money import BASIS_POINTS
from runtime.game.rewards import HISTORY_MS_MIN, RATE_BP_MAX, RATE_BP_MIN
from runtime.game.signals import DIRECTIONS, LEVEL, LEVELS, MOVES, NAMES, PAUSES
from runtime.game.ticks import Tick

LATE_S = 1.5
"""Added to the time until the window opens in the distribution's scale: the first excursions come on top."""
OVERDUE = 1.15
"""A pause that is so many periods late is not expected any more."""

PROBABILITY_MIN = 1e-6
"""Of less than this no recalibration makes a hundredth, and no rate reaches it."""

RECALIBRATION_MAX = 0.4
"""With numbers up to here, what is recalibrated rises with what it was made from: see the test."""

Component = tuple[float, float, float, float]
"""Half the weight, and the line that turns a bound's distance into an argument of tanh: slope, at low, at high."""


def column_inputs(opens_s: float, since_pause_ms: float, period_ms: float, pause_ms: float) -> Row:
    """Return what the network is told of a column: how far off it is, and how it lies to the pause expected next."""
    time = (math.sqrt(opens_s) / 4 - 1, opens_s / 30 - 1)
    if not period_ms or since_pause_ms >= period_ms * OVERDUE:
        return (*time, 2.0, 2.0, 0.0, 0.0)
    after_s = (since_pause_ms / 1000 + opens_s) % (period_ms / 1000)
    until_s = (period_ms - pause_ms) / 1000 - after_s
    to_pause = min(max(until_s, -7.0), 7.0) / 5
    return (*time, to_pause, min(after_s, 7.0) / 5, 1.0, (5.0 - min(max(until_s, 0.0), 5.0)) / 5)


@dataclass(frozen=True, slots=True)
class Offered:
    """Where the evidence allows a rate: of which buckets, which columns, at which level of volatility."""

    rates_bp: tuple[tuple[int, int, int], ...]
    """Stretches of rates, the first included and the last not, and what is kept back in each for doubt."""
    columns: frozenset[int]
    """Distances from the current column."""
    levels: tuple[tuple[float, float], ...]
    """Stretches of the signal `level`."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Offered:
        """Read what a model file says."""
        rates = tuple((int(first), int(last), int(doubt)) for first, last, doubt in values["rates_bp"])
        levels = tuple((float(low), float(high)) for low, high in values["levels"])
        return cls(rates, frozenset(map(int, values["columns"])), levels)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a tick adds to the network's sums, the same for all columns."""

    hidden: Row
    hidden_turning: Row
    out: Row
    out_turning: Row
    pauses: Row
    unit_cents: float


@dataclass(frozen=True, slots=True)
class _OfColumn:
    """The part of the network's numbers that meets the column's inputs."""

    mean: Row
    deviation: Row
    hidden: tuple[Row, ...]
    out: tuple[Row, ...]

    @classmethod
    def of(cls, weights: Weights) -> _OfColumn:
        first = len(LEVELS) + len(MOVES)
        hidden, out = (tuple(row[first:] for row in rows) for rows in (weights.hidden, weights.out_linear))
        return cls(weights.mean[first:], weights.deviation[first:], hidden, out)


class MixtureTouch:
    """Price cells by a fitted mixture, less the house's edge and what the fit leaves in doubt."""

    id = "mixture-touch"

    def __init__(self, document: Mapping[str, Any], rules: GridRules, house_edge_bp: int) -> None:
        fitted = document["grid"]
        given = {"column_seconds": rules.column_seconds, "row_step_cents": rules.row_step_cents}
        if given != fitted:
            raise ValueError(f"it was fitted for the grid {fitted}, and this one has {given}")
        if tuple(document["signals"]) != NAMES:
            raise ValueError("it was fitted on other signals than those that ticks carry")
        self.kind: str = document["kind"]
        report = document.get("report")
        passes = isinstance(report, Mapping) and report.get("passes") is True
        self.proven_for: tuple[str, ...] = (self.kind,) if passes and house_edge_bp >= document["house_edge_bp"] else ()
        """The kind of feed, where the report on days left out passes, for an edge that is not lower than here."""
        self.proven_delay_ms: int = int(report["fill_delay_ms"]) if isinstance(report, Mapping) and passes else 0
        """The fill delay that the report is about: a shorter one lets those win who see prices ahead."""
        self.fitted_version: str = document["version"]
        """The version without the edge: it names the file."""
        self.version = f"{self.fitted_version}-edge{house_edge_bp}"
        self._rules = rules
        self._returned_bp = BASIS_POINTS - house_edge_bp
        self._offered = Offered.of(document["offered"])
        if not all(0 <= doubt_bp < self._returned_bp for _, _, doubt_bp in self._offered.rates_bp):
            raise ValueError("edge and doubt together leave nothing to pay")
        self.kept_bp = tuple((low, high, house_edge_bp + doubt_bp) for low, high, doubt_bp in self._offered.rates_bp)
        """The edge in each stretch of rates, with what is kept for doubt."""
        self._weights = Weights.of(document["weights"])
        self._of_column = _OfColumn.of(self._weights)
        self._recalibration: Row = tuple(map(float, document["recalibration"]))
        weak = all(abs(number) <= RECALIBRATION_MAX for number in self._recalibration)
        if len(self._recalibration) != 4 or not weak:
            raise ValueError("the recalibration is too strong to rise with the probability everywhere")
        self._tick: Tick | None = None
        self._now_ms = 0
        self._known: _Known | None = None
        self._columns: dict[int, tuple[Component, ...] | None] = {}

    def rate_bp(self, cell: Cell, tick: Tick, now_ms: int) -> int | None:
        """Return the rate in basis points, rounded down, or None where the cell is not offered."""
        # A grid and a commit ask for many cells of one tick at one time: a column is forecast once for all of them.
        if now_ms != self._now_ms or tick is not self._tick:
            if tick != self._tick:
                self._known = self._known_of(tick)
            self._tick, self._now_ms, self._columns = tick, now_ms, {}
        if cell.start_s not in self._columns:
            self._columns[cell.start_s] = self._forecast(cell.start_s, tick, now_ms)
        components = self._columns[cell.start_s]
        if components is None:
            return None
        probability = touch_probability(components, cell.low_cents - tick.close, cell.high_cents - tick.close)
        if probability < PROBABILITY_MIN:
            return None
        likely = recalibrated(probability, (cell.start_s * 1000 - now_ms) / 1000, self._recalibration)
        passed = 0
        for first, last, doubt_bp in self._offered.rates_bp:
            rate_bp = whole_rate_bp(likely, self._returned_bp - doubt_bp)
            if first <= rate_bp < last:
                return rate_bp
            if passed == first and 0 < rate_bp < first:
                # Beyond the stretch before, and with this one's doubt not yet in it: the bound between is paid.
                return first
            passed = last if rate_bp >= last else 0
        return None

    def _forecast(self, start_s: int, tick: Tick, now_ms: int) -> tuple[Component, ...] | None:
        opens_s = (start_s * 1000 - now_ms) / 1000
        if self._known is None or opens_s <= 0:
            return None
        ahead = (start_s - column_of(now_ms, self._rules)) // self._rules.column_seconds
        level = tick.features.signals[0]
        if ahead not in self._offered.columns or not any(low <= level < high for low, high in self._offered.levels):
            return None
        return self._components(self._known, opens_s)

    def _known_of(self, tick: Tick) -> _Known | None:
        """Work out what a tick adds to the network's sums; None without a minute of history."""
        features = tick.features
        if features.history_ms < HISTORY_MS_MIN or len(features.signals) != len(NAMES):
            return None
        weights = self._weights
        levels = features.signals[: len(LEVELS)]
        turning = features.signals[len(LEVELS) : len(LEVELS) + len(DIRECTIONS)]
        sizes = map(abs, turning[: len(MOVES)])
        staying = _standardised((*levels, *sizes), weights.mean, weights.deviation)
        turned = _standardised(turning, (0.0,) * len(turning), weights.turning_deviation)
        # `map` ends with the shorter of two rows: the column's inputs are the last ones, and come later.
        return _Known(
            hidden=_sums(weights.hidden_bias, weights.hidden, staying),
            hidden_turning=_sums((0.0,) * len(weights.hidden), weights.hidden_turning, turned),
            out=_sums(weights.out_bias, weights.out_linear, staying),
            out_turning=_sums((0.0,) * len(weights.out_turning), weights.out_turning_linear, turned),
            pauses=features.signals[-len(PAUSES) :],
            unit_cents=math.exp(levels[0] + LEVEL),
        )

    def _components(self, known: _Known, opens_s: float) -> tuple[Component, ...]:
        of_column, weights = self._of_column, self._weights
        column = _standardised(column_inputs(opens_s, *known.pauses), of_column.mean, of_column.deviation)
        even, odd = [], []
        for total, turning in zip(_sums(known.hidden, of_column.hidden, column), known.hidden_turning, strict=True):
            one, mirrored = math.tanh(total + turning), math.tanh(total - turning)
            even.append(0.5 * (one + mirrored))
            odd.append(0.5 * (one - mirrored))
        out = _sums(_sums(known.out, of_column.out, column), weights.out, even)
        return _mixture(
            out, _sums(known.out_turning, weights.out_turning, odd), known.unit_cents * math.sqrt(opens_s + LATE_S)
        )


def _sums(parts: Sequence[float], rows: Sequence[Row], values: Sequence[float]) -> Row:
    """Return each part with the product of its row and the values added."""
    return tuple(part + sum(map(mul, row, values)) for part, row in zip(parts, rows, strict=True))


def touch_probability(components: Sequence[Component], low_cents: int, high_cents: int) -> float:
    """Return the probability that the band is touched; its bounds are distances from the price now."""
    tanh = math.tanh
    total = 0.0
    for half_weight, slope, at_low, at_high in components:
        total += half_weight * (tanh(high_cents * slope + at_high) - tanh(low_cents * slope + at_low))
    return total


def recalibrated(probability: float, opens_s: float, numbers: Row) -> float:
    """Return what a probability is taken for; it rises with it."""
    level, by_rate, by_time, by_both = numbers
    missed, logarithm, time = max(1.0 - probability, PROBABILITY_MIN), math.log(probability), opens_s / 30 - 1
    correction = level + by_rate * logarithm + by_time * time + by_both * logarithm * time
    log_odds = logarithm - math.log(missed) + missed * correction
    return 0.5 + 0.5 * math.tanh(0.5 * log_odds)


def whole_rate_bp(probability: float, returned_bp: int) -> int:
    """Return the greatest rate that times the probability is not above what is returned; 0 where none is paid."""
    if probability * (RATE_BP_MAX + 1) < returned_bp:
        return 0
    rate_bp = int(returned_bp / probability)
    # The division may round up to a whole number.
    if rate_bp * probability > returned_bp:
        rate_bp -= 1
    return rate_bp if RATE_BP_MIN <= rate_bp <= RATE_BP_MAX else 0


def _standardised(values: Sequence[float], mean: Sequence[float], deviation: Sequence[float]) -> Row:
    return tuple(
        min(max((value - middle) / spread, -INPUT_MAX), INPUT_MAX)
        for value, middle, spread in zip(values, mean, deviation, strict=False)
    )


def _mixture(out: Sequence[float], turning: Sequence[float], unit_cents: float) -> tuple[Component, ...]:
    """Make the network's outputs into components; `unit_cents` is the unit of scales, drifts and excursions."""
    parts = len(out) // 3
    greatest = max(out[:parts])
    weights = [math.exp(value - greatest) for value in out[:parts]]
    half = 0.5 / sum(weights)
    components = []
    for part in range(parts):
        # 1 / (1 + exp(-x)) is (1 + tanh(x / 2)) / 2, and tanh never overflows.
        slope = 0.5 / math.exp(_within(out[parts + part], *SCALES))
        drift, lean, excursion = turning[part], turning[parts + part], out[2 * parts + part]
        rise, fall = (math.exp(_within(excursion + side, *EXCURSIONS)) for side in (lean, -lean))
        components.append((half * weights[part], slope / unit_cents, -(rise + drift) * slope, (fall - drift) * slope))
    return tuple(components)


def _within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
