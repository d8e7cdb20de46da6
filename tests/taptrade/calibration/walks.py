"""Days of made-up prices, and models that know them or do not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime.game.grid import Cell, GridRules
from runtime.game.mixture import MixtureTouch
from runtime.game.mixture_weights import INPUTS
from runtime.game.rewards import BrownianTouch
from runtime.game.signals import DIRECTIONS, NAMES
from runtime.game.ticks import Tick
from runtime.market.models import version_of
from taptrade.calibration.days import Day, read_day
from taptrade.calibration.moments import Pricer
from taptrade.calibration.network import Network

RULES = GridRules(5, 12, 500, 20)
START_MS = 1_790_000_000_000
VOLATILITY = 600.0
"""Cents per square root of a second."""


class Knowing(BrownianTouch):
    """The plain model, told the volatility by which the calm walk was made."""

    id = "knowing"

    def rate_bp(self, cell: Cell, tick: Tick, now_ms: int) -> int | None:
        features = replace(tick.features, volatility=VOLATILITY, sample_ms=1_000)
        return super().rate_bp(cell, replace(tick, features=features), now_ms)


def calm(seed: int, hours: float) -> list[int]:
    """Return normal moves, one a second."""
    return _walk(np.random.default_rng(seed).normal(0.0, VOLATILITY, round(hours * 3600)))


def wild(seed: int, hours: float) -> list[int]:
    """Return moves with heavy tails, as markets have them, of a volatility that changes."""
    random, count = np.random.default_rng(seed), round(hours * 3600)
    swings = np.exp(0.8 * np.repeat(random.normal(0.0, 1.0, count // 20 + 1), 20)[:count])
    return _walk(0.5 * VOLATILITY * swings * random.standard_t(3, count))


def _walk(moves: Any) -> list[int]:
    found: list[int] = np.round(12_000_000 + np.cumsum(moves)).astype(int).tolist()
    return found


def write_day(path: Path, cents: list[int], start_ms: int = START_MS, apart_ms: int = 1_000) -> Path:
    """Write a recording with a price each `apart_ms`."""
    rows = (f"{start_ms + apart_ms * row},{price // 100}.{price % 100:02d}" for row, price in enumerate(cents))
    path.write_text("\n".join(["ts_ms,price", *rows]) + "\n")
    return path


def day_of(path: Path, cents: list[int], start_ms: int = START_MS) -> Day:
    """Read such a recording."""
    return read_day(write_day(path, cents, start_ms), RULES, unheard)


def unheard(what: str, share: float) -> None:
    """Take progress in and tell nobody."""


def document(**changes: Any) -> dict[str, Any]:
    """Return a model file of one hand-made component: its scale follows the volatility, and nothing else."""
    nothing, still = [0.0] * INPUTS, [0.0] * len(DIRECTIONS)
    weights = {
        "mean": nothing,
        "deviation": [1.0] * INPUTS,
        "turning_deviation": [1.0] * len(DIRECTIONS),
        "hidden": [nothing],
        "hidden_turning": [still],
        "hidden_bias": [0.0],
        "out": [[0.0]] * 3,
        "out_linear": [nothing] * 3,
        "out_bias": [0.0, float(np.log(0.55)), float(np.log(0.25))],
        "out_turning": [[0.0]] * 2,
        "out_turning_linear": [still] * 2,
    }
    found = {
        "format": 1,
        "id": "mixture-touch",
        "kind": "made-up",
        "observed": {"ticks_per_s": 1.0, "paused": 0.0},
        "grid": {"column_seconds": 5, "row_step_cents": 500},
        "signals": list(NAMES),
        "house_edge_bp": 500,
        "recalibration": [0.0, 0.0, 0.0, 0.0],
        "weights": weights,
        "offered": {"rates_bp": [[10_500, 1_000_001, 0]], "columns": list(range(2, 13)), "levels": [[-99, 99]]},
        "fitted_on": [],
        "left_out": [],
        **changes,
    }
    return {"version": version_of(found), **found}


def write_model(path: Path, **changes: Any) -> Path:
    """Write the hand-made model file."""
    path.write_text(json.dumps(document(**changes)))
    return path


def priced(**changes: Any) -> tuple[Pricer, Network]:
    """Return what prices moments by it."""
    network = Network(document(**changes), 500)
    return Pricer(MixtureTouch(document(), RULES, 500), network), network
