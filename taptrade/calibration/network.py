"""The mixture model over arrays: the same formula as runtime.game.mixture, for thousands of moments at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.game.mixture import LATE_S, OVERDUE, PROBABILITY_MIN
from runtime.game.mixture_weights import EXCURSIONS, INPUT_MAX, SCALES
from runtime.game.money import BASIS_POINTS
from runtime.game.rewards import RATE_BP_MAX, RATE_BP_MIN
from runtime.game.signals import DIRECTIONS, LEVEL, LEVELS, MOVES
from taptrade.calibration.cells import Cells
from taptrade.calibration.days import Flags, Floats, Whole

if TYPE_CHECKING:
    from taptrade.calibration.moments import Moments

_STAYING = len(LEVELS)
_TURNING = slice(_STAYING, _STAYING + len(DIRECTIONS))
PIECE = 4_000
"""Rows worked on at a time: their arrays stay in the processor's cache, which is several times as fast."""


def inputs_of(signals: Floats, opens_s: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the inputs that stay and those that turn, a row for each (signals, opens_s), and the scale's unit."""
    turning = signals[:, _TURNING]
    time = np.stack([np.sqrt(opens_s) / 4 - 1, opens_s / 30 - 1], axis=1)
    staying = [signals[:, :_STAYING], np.abs(turning[:, : len(MOVES)]), time, _pauses(signals[:, -3:], opens_s)]
    unit_cents = np.exp(signals[:, 0] + LEVEL) * np.sqrt(opens_s + LATE_S)
    return np.concatenate(staying, axis=1), turning, unit_cents


def _pauses(pauses: Floats, opens_s: Floats) -> Floats:
    since_ms, period_ms, pause_ms = pauses.T
    expected = (period_ms > 0) & (since_ms < period_ms * OVERDUE)
    period_s = np.where(expected, period_ms, 1.0) / 1000
    after_s = (since_ms / 1000 + opens_s) % period_s
    until_s = period_s - pause_ms / 1000 - after_s
    found = np.stack(
        [
            np.clip(until_s, -7, 7) / 5,
            np.minimum(after_s, 7) / 5,
            np.ones_like(opens_s),
            (5 - np.clip(until_s, 0, 5)) / 5,
        ],
        axis=1,
    )
    return np.where(expected[:, None], found, np.array([2.0, 2.0, 0.0, 0.0]))


def logistic(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x))."""
    found: Floats = 0.5 * (1 + np.tanh(0.5 * x))
    return found


class Network:
    """The numbers of a model file as arrays, and the rates that they give."""

    def __init__(self, document: Mapping[str, Any], house_edge_bp: int) -> None:
        self._numbers = {name: np.array(value, dtype=float) for name, value in document["weights"].items()}
        self._returned_bp = BASIS_POINTS - house_edge_bp
        self._recalibration = document["recalibration"]
        self._offered = document["offered"]

    def forecasts(self, rates_bp: Whole) -> Floats:
        """Return the probabilities behind rates, 0 behind none."""
        found = np.zeros(rates_bp.shape)
        for first, last, doubt_bp in self._offered["rates_bp"]:
            inside = (rates_bp >= first) & (rates_bp < last)
            found = np.where(inside, (self._returned_bp - doubt_bp) / np.maximum(rates_bp, 1), found)
        return found

    def outputs(self, staying: Floats, turning: Floats) -> tuple[Floats, Floats]:
        """Return the network's outputs that stay and those that turn."""
        n = self._numbers
        still = np.clip((staying - n["mean"]) / n["deviation"], -INPUT_MAX, INPUT_MAX)
        turned = np.clip(turning / n["turning_deviation"], -INPUT_MAX, INPUT_MAX)
        total, turning_total = still @ n["hidden"].T + n["hidden_bias"], turned @ n["hidden_turning"].T
        one, mirrored = np.tanh(total + turning_total), np.tanh(total - turning_total)
        out = 0.5 * (one + mirrored) @ n["out"].T + still @ n["out_linear"].T + n["out_bias"]
        out_turning = 0.5 * (one - mirrored) @ n["out_turning"].T + turned @ n["out_turning_linear"].T
        return out, out_turning

    def probabilities(self, signals: Floats, opens_s: Floats, low_cents: Floats, high_cents: Floats) -> Floats:
        """Return the probability of each band (n, r), given as distances from the price of its row's tick."""
        found = np.empty(low_cents.shape)
        for first in range(0, len(found), PIECE):
            some = slice(first, first + PIECE)
            found[some] = self._probabilities(signals[some], opens_s[some], low_cents[some], high_cents[some])
        return found

    def _probabilities(self, signals: Floats, opens_s: Floats, low_cents: Floats, high_cents: Floats) -> Floats:
        staying, turning, unit_cents = inputs_of(signals, opens_s)
        out, out_turning = self.outputs(staying, turning)
        raw = mixture(out, out_turning, low_cents / unit_cents[:, None], high_cents / unit_cents[:, None])
        return recalibrated(raw, opens_s[:, None], self._recalibration)

    def grid_probabilities(self, moments: Moments) -> Floats:
        """Return the probability of each shown cell (m, c, r), offered or not."""
        opens_s, rows = moments.opens_s, moments.rules.rows
        m, c = opens_s.shape
        low = np.repeat((moments.lows - moments.close[:, None]).astype(float), c, axis=0)
        signals = np.repeat(moments.day.signals[moments.ticks], c, axis=0)
        high = low + moments.rules.row_step_cents
        return self.probabilities(signals, opens_s.reshape(-1), low, high).reshape(m, c, rows)

    def rates_bp(self, moments: Moments) -> Whole:
        """Return the rate of each shown cell (m, c, r) in basis points, 0 where it is not offered."""
        rates = self.priced(self.grid_probabilities(moments))
        columns = np.isin(moments.distances, list(self._offered["columns"]))
        known = self._is_known(moments.day.signals[moments.ticks, 0])
        return np.where(known[:, None, None] & columns[None, :, None], rates, 0)

    def cell_rates_bp(self, cells: Cells) -> Whole:
        """Return the rate of each of the cells in basis points, 0 where it is not offered."""
        low = (cells.low_cents - cells.close).astype(float)[:, None]
        high = low + cells.rules.row_step_cents
        opens_s = np.maximum(cells.opens_s, 0.0)
        rates = self.priced(self.probabilities(cells.signals, opens_s, low, high)[:, 0])
        columns = np.isin(cells.distances, list(self._offered["columns"]))
        return np.where(self._is_known(cells.signals[:, 0]) & columns & cells.are_ahead, rates, 0)

    def _is_known(self, level: Floats) -> Flags:
        known: Flags = np.zeros(len(level), dtype=bool)
        for low, high in self._offered["levels"]:
            known |= (low <= level) & (level < high)
        return known

    def priced(self, probabilities: Floats) -> Whole:
        """Return what probabilities are paid at, 0 where that is not offered."""
        found: Whole = np.zeros(probabilities.shape, dtype=np.int64)
        passed: Whole = np.zeros(probabilities.shape, dtype=np.int64)
        for first, last, doubt_bp in self._offered["rates_bp"]:
            rates = ((self._returned_bp - doubt_bp) / np.maximum(probabilities, 1e-9)).astype(np.int64)
            inside = (rates >= max(first, RATE_BP_MIN)) & (rates < min(last, RATE_BP_MAX + 1))
            bound = (passed == first) & (rates < first)
            found = np.where(found > 0, found, np.where(inside, rates, np.where(bound, first, 0)))
            passed = np.where((rates >= last) & (rates <= RATE_BP_MAX), last, 0)
        return found


def correction_of(probabilities: Floats, opens_s: Floats) -> tuple[Floats, Floats]:
    """Return the log-odds of probabilities, and what the recalibration's numbers are multiplied by (..., 4)."""
    p = np.maximum(probabilities, PROBABILITY_MIN)
    missed, logarithm = np.maximum(1 - p, PROBABILITY_MIN), np.log(p)
    return logarithm - np.log(missed), _by(missed, logarithm, opens_s / 30 - 1)


def _by(missed: Floats, logarithm: Floats, time: Floats) -> Floats:
    found: Floats = np.stack([missed, missed * logarithm, missed * time, missed * logarithm * time], axis=-1)
    return found


def recalibrated(probabilities: Floats, opens_s: Floats, recalibration: Sequence[float]) -> Floats:
    """Return what probabilities are taken for."""
    log_odds, by = correction_of(probabilities, opens_s)
    found = logistic(log_odds + by @ np.array(recalibration))
    return np.where(probabilities < PROBABILITY_MIN, 0.0, found)


def mixture(out: Floats, turning: Floats, low: Floats, high: Floats) -> Floats:
    """Return the mixture's probability of each band (n, r), in units of the scale."""
    parts = out.shape[1] // 3
    weights = np.exp(out[:, :parts] - out[:, :parts].max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    total = np.zeros(low.shape)
    for part in range(parts):
        scale = np.exp(np.clip(out[:, parts + part], *SCALES))[:, None]
        drift, lean, excursion = turning[:, part], turning[:, parts + part], out[:, 2 * parts + part]
        rise = np.exp(np.clip(excursion + lean, *EXCURSIONS))
        fall = np.exp(np.clip(excursion - lean, *EXCURSIONS))
        above = logistic((high + (fall - drift)[:, None]) / scale)
        below = logistic((low - (rise + drift)[:, None]) / scale)
        total += weights[:, part : part + 1] * (above - below)
    return total
