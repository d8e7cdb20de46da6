"""The numbers of a mixture model's network, and the bounds that its outputs are kept in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.game.signals import DIRECTIONS, LEVELS, MOVES

COLUMN_INPUTS = 6
INPUTS = len(LEVELS) + len(MOVES) + COLUMN_INPUTS
"""Inputs that a mirrored price leaves as they are: the tick's, the sizes of its moves, and the column's."""
INPUT_MAX = 5.0
"""Inputs beyond so many standard deviations of the days that were fitted count as so many."""
SCALES = (-5.0, 3.0)
EXCURSIONS = (-8.0, 2.0)
"""Logarithms of a component's scale and of its excursions, in units of the volatility until then, lie between."""

Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """The network's numbers, each matrix by its output: rows of inputs."""

    mean: Row
    deviation: Row
    """Of the inputs that stay, on the days that were fitted."""
    turning_deviation: Row
    """Deviations of the inputs that turn."""
    hidden: tuple[Row, ...]
    hidden_turning: tuple[Row, ...]
    hidden_bias: Row
    out: tuple[Row, ...]
    """From the hidden units to logarithms of weights, scales and excursions, one of each a component."""
    out_linear: tuple[Row, ...]
    out_bias: Row
    out_turning: tuple[Row, ...]
    """To the drifts and to the differences of the excursions."""
    out_turning_linear: tuple[Row, ...]

    @classmethod
    def of(cls, numbers: Mapping[str, Any]) -> Weights:
        """Read the numbers of a model file; raise ValueError where their shapes do not fit together."""
        found: dict[str, Any] = {name: tuple(map(float, numbers[name])) for name in _VECTORS}
        found |= {name: tuple(tuple(map(float, row)) for row in numbers[name]) for name in _MATRICES}
        weights = cls(**found)
        weights.check()
        return weights

    def check(self) -> None:
        """Raise ValueError unless the shapes fit together and every number is finite."""
        units, parts = len(self.hidden), len(self.out) // 3
        expected = (
            ([self.mean, self.deviation], 2, INPUTS),
            ([self.turning_deviation], 1, len(DIRECTIONS)),
            (self.hidden, units, INPUTS),
            (self.hidden_turning, units, len(DIRECTIONS)),
            ([self.hidden_bias], 1, units),
            (self.out, 3 * parts, units),
            (self.out_linear, 3 * parts, INPUTS),
            ([self.out_bias], 1, 3 * parts),
            (self.out_turning, 2 * parts, units),
            (self.out_turning_linear, 2 * parts, len(DIRECTIONS)),
        )
        for rows, count, length in expected:
            if not count or len(rows) != count or any(len(row) != length for row in rows):
                raise ValueError("the network's numbers do not fit together")
            if not all(map(math.isfinite, (value for row in rows for value in row))):
                raise ValueError("the network's numbers must be finite")
        if min(*self.deviation, *self.turning_deviation) <= 0:
            raise ValueError("deviations must be above zero")


_VECTORS = ("mean", "deviation", "turning_deviation", "hidden_bias", "out_bias")
_MATRICES = ("hidden", "hidden_turning", "out", "out_linear", "out_turning", "out_turning_linear")
