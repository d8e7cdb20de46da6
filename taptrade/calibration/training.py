"""The fit of the network: gradient descent on whether bands were touched, each cent staked weighing alike.

A cell of probability p is paid about 1/p, so its error costs the house or the player in proportion to 1/p: the
logarithmic loss is weighted by it. Steps are Adam's (Kingma and Ba 2015). Rare cells below PRICED_MIN, which no rate
reaches, fade out of the weight, or their noise would lead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.game.mixture_weights import EXCURSIONS, INPUT_MAX, SCALES
from taptrade.calibration.days import Whole
from taptrade.calibration.moments import Moments
from taptrade.calibration.network import inputs_of, logistic

Array = npt.NDArray[Any]
"""Of 32-bit floats, which are enough for a fit and twice as fast."""

PARTS = 4
ROUNDS = 8
BATCH = 2_048
STEP = 0.004
WARM_STEPS = 100
PRICED_MIN = 0.02
CHUNK = 4_000


@dataclass(frozen=True, slots=True)
class Examples:
    """Columns that were ahead at some moment: inputs, bands in units of the scale, and which were touched."""

    staying: Array
    turning: Array
    low: Array
    high: Array
    touched: Array

    def __len__(self) -> int:
        return len(self.staying)


def examples_of(days: Sequence[Moments]) -> Examples:
    """Gather the covered columns of all moments."""
    parts: list[tuple[Any, ...]] = []
    for whole in days:
        for first in range(0, len(whole), CHUNK):
            moments = whole.part(first, first + CHUNK)
            touched, covered = moments.outcomes()
            kept = covered.reshape(-1)
            m, c, r = touched.shape
            signals = np.repeat(moments.day.signals[moments.ticks], c, axis=0)[kept]
            staying, turning, unit = inputs_of(signals, moments.opens_s.reshape(-1)[kept])
            low = np.repeat(moments.lows - moments.close[:, None], c, axis=0)[kept] / unit[:, None]
            high = low + moments.rules.row_step_cents / unit[:, None]
            parts.append((staying, turning, low, high, touched.reshape(m * c, r)[kept]))
    return Examples(*(np.concatenate(each).astype(np.float32) for each in zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Form:
    """How much the network can learn: the more days there are, the more units and the less decay they bear."""

    units: int = 16
    decay: float = 1e-4


class Trainer:
    """The numbers while they are fitted; matrices lie the other way round than in a model file."""

    def __init__(self, examples: Examples, form: Form, seed: int) -> None:
        self._form = form
        self._random = np.random.default_rng(seed)
        self._mean = examples.staying.mean(axis=0)
        self._deviation = examples.staying.std(axis=0) + 0.01
        self._turning_deviation = examples.turning.std(axis=0) + 0.01
        still = np.clip((examples.staying - self._mean) / self._deviation, -INPUT_MAX, INPUT_MAX)
        turned = np.clip(examples.turning / self._turning_deviation, -INPUT_MAX, INPUT_MAX)
        self._examples = Examples(still, turned, examples.low, examples.high, examples.touched)
        self._numbers = self._begin(still.shape[1], turned.shape[1])
        self._first = {name: np.zeros_like(value) for name, value in self._numbers.items()}
        self._second = {name: np.zeros_like(value) for name, value in self._numbers.items()}
        self._steps = 0

    def _begin(self, staying: int, turning: int) -> dict[str, Array]:
        def noise(deviation: float, *shape: int) -> Any:
            return self._random.normal(0.0, deviation, shape)

        units, scales = self._form.units, np.log(np.geomspace(0.03, 0.9, PARTS))
        numbers = {
            "hidden": noise(0.6 / staying**0.5, staying, units),
            "hidden_turning": noise(0.6 / turning**0.5, turning, units),
            "hidden_bias": noise(0.3, units),
            "out": noise(0.1 / units**0.5, units, 3 * PARTS),
            "out_turning": noise(0.1 / units**0.5, units, 2 * PARTS),
            "out_linear": np.zeros((staying, 3 * PARTS)),
            "out_turning_linear": np.zeros((turning, 2 * PARTS)),
            "out_bias": np.concatenate([np.zeros(PARTS), scales, np.full(PARTS, np.log(0.3))]),
        }
        return {name: value.astype(np.float32) for name, value in numbers.items()}

    def run(self, told: Callable[[float], None]) -> None:
        """Go over the examples ROUNDS times, with steps that grow at first and then shrink to nothing."""
        count = len(self._examples)
        batch = min(BATCH, count)
        steps = ROUNDS * (count // batch)
        for _ in range(ROUNDS):
            order = self._random.permutation(count)
            for first in range(0, count - batch + 1, batch):
                share = self._steps / steps
                pace = STEP * (0.5 + 0.5 * np.cos(np.pi * share)) * min(1.0, (self._steps + 1) / WARM_STEPS)
                self._step(order[first : first + batch], float(pace))
                if self._steps % 50 == 0:
                    told(share)
        told(1.0)

    def _step(self, chosen: Whole, pace: float) -> None:
        e, n = self._examples, self._numbers
        still, turned = e.staying[chosen], e.turning[chosen]
        total, turning_total = still @ n["hidden"] + n["hidden_bias"], turned @ n["hidden_turning"]
        one, mirrored = np.tanh(total + turning_total), np.tanh(total - turning_total)
        even, odd = 0.5 * (one + mirrored), 0.5 * (one - mirrored)
        out = even @ n["out"] + still @ n["out_linear"] + n["out_bias"]
        out_turning = odd @ n["out_turning"] + turned @ n["out_turning_linear"]
        by_out, by_turning = _slopes(out, out_turning, e.low[chosen], e.high[chosen], e.touched[chosen])
        by_even, by_odd = 0.5 * by_out @ n["out"].T, 0.5 * by_turning @ n["out_turning"].T
        by_one, by_mirrored = (by_even + by_odd) * (1 - one * one), (by_even - by_odd) * (1 - mirrored * mirrored)
        self._adjust(
            {
                "hidden": still.T @ (by_one + by_mirrored),
                "hidden_turning": turned.T @ (by_one - by_mirrored),
                "hidden_bias": (by_one + by_mirrored).sum(axis=0),
                "out": even.T @ by_out,
                "out_turning": odd.T @ by_turning,
                "out_linear": still.T @ by_out,
                "out_turning_linear": turned.T @ by_turning,
                "out_bias": by_out.sum(axis=0),
            },
            pace,
        )

    def _adjust(self, slopes: dict[str, Array], pace: float) -> None:
        self._steps += 1
        for name, value in list(self._numbers.items()):
            slope = slopes[name] + (0 if name.endswith("bias") else self._form.decay * value)
            first = self._first[name] = 0.9 * self._first[name] + 0.1 * slope
            second = self._second[name] = 0.995 * self._second[name] + 0.005 * slope * slope
            first = first / (1 - 0.9**self._steps)
            moved = pace * first / (np.sqrt(second / (1 - 0.995**self._steps)) + 1e-8)
            self._numbers[name] = (value - moved).astype(np.float32)

    def weights(self) -> dict[str, Any]:
        """Return the numbers as a model file has them, with the six digits that matter."""
        found = {name: value.T if value.ndim > 1 else value for name, value in self._numbers.items()}
        found |= {"mean": self._mean, "deviation": self._deviation, "turning_deviation": self._turning_deviation}
        return {name: _rounded(value.tolist()) for name, value in sorted(found.items())}


def _slopes(out: Array, turning: Array, low: Array, high: Array, touched: Array) -> tuple[Array, Array]:
    """Return the weighted loss' derivatives by the network's outputs; the formula is network.mixture's."""
    parts = PARTS
    weights = np.exp(out[:, :parts] - out[:, :parts].max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    scale = np.exp(np.clip(out[:, parts : 2 * parts], *SCALES))[:, None]
    excursion, drift, lean = out[:, 2 * parts :], turning[:, :parts], turning[:, parts:]
    rise, fall = np.exp(np.clip(excursion + lean, *EXCURSIONS)), np.exp(np.clip(excursion - lean, *EXCURSIONS))
    above = (high[:, :, None] + (fall - drift)[:, None]) / scale
    below = (low[:, :, None] - (rise + drift)[:, None]) / scale
    up, down = logistic(above), logistic(below)
    each = up - down
    p = np.clip((each * weights[:, None]).sum(axis=2), 1e-6, 1 - 1e-6)
    stake = np.minimum(1.0, (p / PRICED_MIN) ** 2) / np.maximum(p, PRICED_MIN)
    by_p = stake * (p - touched) / (p * (1 - p)) / stake.sum()
    by_weight = (by_p[:, :, None] * each).sum(axis=1)
    by_logit = weights * (by_weight - (by_weight * weights).sum(axis=1, keepdims=True))
    by_each = by_p[:, :, None] * weights[:, None]
    by_up, by_down = by_each * up * (1 - up), -by_each * down * (1 - down)
    by_log_scale = -(by_up * above + by_down * below).sum(axis=1)
    ups, downs = (by_up / scale).sum(axis=1), (by_down / scale).sum(axis=1)
    by_fall, by_rise = ups * fall, -downs * rise
    by_out = np.concatenate([by_logit, by_log_scale, by_fall + by_rise], axis=1)
    by_turning = np.concatenate([-(ups + downs), by_rise - by_fall], axis=1)
    return by_out.astype(np.float32), by_turning.astype(np.float32)


def _rounded(value: Any) -> Any:
    return [_rounded(each) for each in value] if isinstance(value, list) else float(f"{value:.6g}")
