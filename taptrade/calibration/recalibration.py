"""Recalibration: the four numbers that take back what a fit is too sure of, from days left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runtime.game.mixture import RECALIBRATION_MAX
from taptrade.calibration.days import Flags, Floats
from taptrade.calibration.moments import Moments
from taptrade.calibration.network import Network, correction_of, logistic
from taptrade.calibration.training import CHUNK, PRICED_MIN

EVERY = 10
"""One in so many of the moments left out is enough for four numbers."""
STEPS = 25


@dataclass(frozen=True, slots=True)
class Sample:
    """Probabilities forecast for cells of moments left out, and whether they were touched."""

    forecast: Floats
    opens_s: Floats
    touched: Flags


def sample_of(whole: Moments, network: Network) -> Sample:
    """Ask the network about some of the moments."""
    some = whole.only(np.arange(len(whole)) % EVERY == 0)
    forecasts, times, hits = [], [], []
    for first in range(0, len(some), CHUNK):
        moments = some.part(first, first + CHUNK)
        touched, covered = moments.outcomes()
        forecasts.append(network.grid_probabilities(moments)[covered].reshape(-1))
        times.append(np.repeat(moments.opens_s[covered], touched.shape[2]))
        hits.append(touched[covered].reshape(-1))
    return Sample(np.concatenate(forecasts), np.concatenate(times), np.concatenate(hits))


def recalibration_of(samples: Sequence[Sample]) -> list[float]:
    """Return the numbers, by Newton's method on the loss that the fit has."""
    forecast = np.concatenate([each.forecast for each in samples])
    touched = np.concatenate([each.touched for each in samples])
    log_odds, by = correction_of(forecast, np.concatenate([each.opens_s for each in samples]))
    stake = np.minimum(1.0, (forecast / PRICED_MIN) ** 2) / np.maximum(forecast, PRICED_MIN)
    numbers = np.zeros(4)
    for _ in range(STEPS):
        p = logistic(log_odds + by @ numbers)
        slope = by.T @ (stake * (p - touched))
        curve = by.T @ (by * (stake * p * (1 - p))[:, None])
        numbers = numbers - np.linalg.solve(curve + 1e-9 * np.eye(4), slope)
    return [round(float(each), 5) for each in np.clip(numbers, -RECALIBRATION_MAX, RECALIBRATION_MAX)]
