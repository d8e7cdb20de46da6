"""Reward rates: what a hit pays, from the probability that the price touches the cell's band in its window."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any, Protocol, cast, runtime_checkable

from runtime.game.grid import Cell, GridRules
from runtime.game.money import BASIS_POINTS
from runtime.game.ticks import Features, Tick

RATE_BP_MIN = 10_500
RATE_BP_MAX = 1_000_000
"""A rate outside [1.05x, 100x] is not offered; it is never moved to the bound."""

TRIAL_S = 1_700_000_000
"""When the trial of a model plays."""

HISTORY_MS_MIN = 60_000
"""A volatility from a shorter series prices nothing."""

SAMPLING_SHIFT = 0.5826
"""-zeta(1/2) / sqrt(2 pi): how much further, in moves between two observations, a barrier seems to those who only look
at times (Broadie, Glasserman and Kou 1997)."""

TAIL = 6.0
"""Standard deviations after which a normal tail (1e-9) counts as nothing."""

NODES = 20
"""Quadrature points on each side of a band: an absolute error below 1e-8, a millionth of the rarest cell offered."""

SQRT2 = math.sqrt(2.0)
SQRT_2PI = math.sqrt(2.0 * math.pi)


class RewardModel(Protocol):
    """Price a cell: a pure function of the cell, the newest tick and the time, so that any rate can be recomputed."""

    id: str
    version: str

    def rate_bp(self, cell: Cell, tick: Tick, now_ms: int) -> int | None:
        """Return the rate in basis points, or None where the cell is not offered."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A model that tells what it keeps of which rates; players are shown it."""

    @property
    def kept_bp(self) -> tuple[tuple[int, int, int], ...]:
        """Stretches of rates, the last one not included, and the edge in each with what is kept for doubt."""
        ...


class RewardModelError(Exception):
    """The configured reward model cannot be used."""


def _gauss_legendre(count: int) -> tuple[tuple[float, float], ...]:
    """Return the (node, weight) pairs on [-1, 1], each found by Newton's method on the Legendre polynomial."""
    pairs = []
    for index in range(count):
        x = math.cos(math.pi * (index + 0.75) / (count + 0.5))
        slope = 1.0
        for _ in range(10):
            previous, value = 1.0, x
            for degree in range(2, count + 1):
                previous, value = value, ((2 * degree - 1) * x * value - (degree - 1) * previous) / degree
            slope = count * (x * value - previous) / (x * x - 1.0)
            x -= value / slope
        pairs.append((x, 2.0 / ((1.0 - x * x) * slope * slope)))
    return tuple(pairs)


_NODES = _gauss_legendre(NODES)


def _reach(gap: float, spread: float, reach: float, shift: float) -> float:
    """Return the probability to be outside a bound when the window opens, and to come back to it before it closes.

    `gap` is the distance from the price now to the bound, negative beyond it; `spread` and `reach` are the standard
    deviations of the move until the window and within it. Outside by y, the bound `shift` further away is reached with
    2 N(-(y + shift) / reach) (reflection), averaged here over y > 0 by Gauss-Legendre quadrature.
    """
    first = max(0.0, gap - TAIL * spread)
    last = min(gap + TAIL * spread, TAIL * reach - shift)
    if last <= first:
        return 0.0
    middle, half = 0.5 * (first + last), 0.5 * (last - first)
    scale_out, scale_back = 1.0 / (spread * SQRT2), 1.0 / (reach * SQRT2)
    out, out_step = (middle - gap) * scale_out, half * scale_out
    back, back_step = (middle + shift) * scale_back, half * scale_back
    exp, erfc = math.exp, math.erfc
    total = 0.0
    for node, weight in _NODES:
        u = out + out_step * node
        total += weight * exp(-u * u) * erfc(back + back_step * node)
    return total * half / (spread * SQRT_2PI)


def touch_probability(
    price_cents: float,
    low_cents: float,
    high_cents: float,
    *,
    volatility: float,
    opens_s: float,
    closes_s: float,
    sample_s: float,
) -> float:
    """Return the probability that a driftless Brownian motion is in [low, high] at some time of a future window.

    `volatility` is in cents per square root of a second; the window opens and closes that many seconds from now.
    What settles is the recorded step function: the price carried in counts as it is, so the band's own bounds decide
    where the window opens in it. From outside, the band is entered only by an observed price, one every `sample_s`: a
    continuous path would enter more often, so the bound is moved away from the price that comes to it, into the band.
    """
    spread = volatility * math.sqrt(opens_s)
    window_s = closes_s - opens_s
    reach = volatility * math.sqrt(window_s)
    shift = SAMPLING_SHIFT * volatility * math.sqrt(min(sample_s, window_s))
    below, above = low_cents - price_cents, price_cents - high_cents
    scale = 1.0 / (spread * SQRT2)
    inside = 0.5 * (math.erfc(below * scale) - math.erfc(-above * scale))
    return min(1.0, inside + _reach(below, spread, reach, shift) + _reach(above, spread, reach, shift))


class BrownianTouch:
    """The plain model: touch probability of a driftless Brownian motion, less the house's edge."""

    id = "brownian-touch"

    def __init__(self, rules: GridRules, house_edge_bp: int) -> None:
        if not 0 <= house_edge_bp < BASIS_POINTS:
            raise ValueError(f"house edge {house_edge_bp} must be at least 0 and below {BASIS_POINTS}")
        self.version = f"1-edge{house_edge_bp}-column{rules.column_seconds}"
        """What a rate depends on besides cell, tick and now: the formula, the edge, the column's width."""
        self.kept_bp: tuple[tuple[int, int, int], ...] = ((RATE_BP_MIN, RATE_BP_MAX + 1, house_edge_bp),)
        self._column_seconds = rules.column_seconds
        self._returned_bp = BASIS_POINTS - house_edge_bp
        self._probability_min = self._returned_bp / (RATE_BP_MAX + 1)

    def rate_bp(self, cell: Cell, tick: Tick, now_ms: int) -> int | None:
        """Return the rate in basis points, rounded down, or None where the cell is not offered."""
        features = tick.features
        volatility = features.volatility
        opens_s = (cell.start_s * 1000 - now_ms) / 1000
        if opens_s <= 0 or features.history_ms < HISTORY_MS_MIN or not 0 < volatility < math.inf:
            return None
        closes_s = opens_s + self._column_seconds
        low_cents, high_cents = cell.low_cents, cell.high_cents
        # A bound that is cheap to know: to touch the band in the window is to reach it from here by the window's end.
        away = max(low_cents - tick.close, tick.close - high_cents)
        if away > 0 and math.erfc(away / (volatility * math.sqrt(2.0 * closes_s))) < self._probability_min:
            return None
        probability = touch_probability(
            tick.close,
            low_cents,
            high_cents,
            volatility=volatility,
            opens_s=opens_s,
            closes_s=closes_s,
            sample_s=features.sample_ms / 1000,
        )
        return self._offered(probability)

    def _offered(self, probability: float) -> int | None:
        if probability < self._probability_min:
            return None
        rate_bp = int(self._returned_bp / probability)
        # The division may round up to a whole number: rate x probability stays at or below 1 - edge.
        if rate_bp * probability > self._returned_bp:
            rate_bp -= 1
        return rate_bp if RATE_BP_MIN <= rate_bp <= RATE_BP_MAX else None


def load_model(path: str, rules: GridRules, house_edge_bp: int) -> RewardModel:
    """Import and build the model named `package.module:Class`."""
    module_name, colon, class_name = path.partition(":")
    if not (module_name and colon and class_name.isidentifier()):
        raise RewardModelError(f"reward model {path!r}: write it as package.module:Class")
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as ex:
        raise RewardModelError(f"reward model {path!r}: cannot import {module_name}: {ex!r}") from ex
    kind: Any = getattr(module, class_name, None)
    if not isinstance(kind, type):
        raise RewardModelError(f"reward model {path!r}: {module_name} has no class {class_name}")
    try:
        model: Any = kind(rules, house_edge_bp)
    except Exception as ex:
        raise RewardModelError(f"reward model {path!r}: cannot be built from (rules, house_edge_bp): {ex!r}") from ex
    named = all(isinstance(getattr(model, name, None), str) and getattr(model, name) for name in ("id", "version"))
    if not named or not callable(getattr(model, "rate_bp", None)):
        raise RewardModelError(f"reward model {path!r}: {class_name} lacks an id, a version or rate_bp")
    try_out(path, model, rules)
    return cast("RewardModel", model)


def try_out(path: str, model: RewardModel, rules: GridRules) -> None:
    """Price one cell; raise RewardModelError if what comes of it is no rate."""
    step, now_ms = rules.row_step_cents, 1_000 * TRIAL_S
    tick = Tick(now_ms, now_ms, 20 * step, 20 * step, 20 * step, "trial", Features(step / 5, 100, 10 * HISTORY_MS_MIN))
    start_s = TRIAL_S - TRIAL_S % rules.column_seconds + 2 * rules.column_seconds
    try:
        rate_bp: object = model.rate_bp(Cell(start_s, 20 * step, 21 * step), tick, now_ms)
    except Exception as ex:
        raise RewardModelError(f"reward model {path!r}: rate_bp(cell, tick, now_ms) fails: {ex!r}") from ex
    if rate_bp is not None and type(rate_bp) is not int:
        raise RewardModelError(f"reward model {path!r}: rate_bp must return a whole number or None, not {rate_bp!r}")
