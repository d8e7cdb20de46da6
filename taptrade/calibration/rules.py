"""Simple fixed rules on public information, each a choice among the shown cells of a moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from runtime.game.money import BASIS_POINTS
from taptrade.calibration.days import Flags, Floats, Whole
from taptrade.calibration.moments import Moments
from taptrade.calibration.past import Past

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
FRESH_GAP_MS = 2_000
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Board:
    """Moments with the rates shown and what taps on them were paid, (m, c, r) each."""

    moments: Moments
    rates: Whole
    taps: Flags
    """Cells that were offered, and whose window settled."""
    paid: Floats
    past: Past

    @classmethod
    def of(cls, moments: Moments, rates: Whole, past: Past) -> Board:
        """Settle a tap on each cell."""
        touched, covered = moments.outcomes()
        taps = (rates > 0) & covered[:, :, None]
        return cls(moments, rates, taps, np.where(taps & touched, rates / BASIS_POINTS, 0.0), past)

    def masks(self) -> Iterator[tuple[str, Flags]]:
        """Yield each rule's name and what it would tap."""
        sight = Sight(self)
        for name, rule in RULES.items():
            yield name, rule(sight)

    def distinct(self, chosen: Flags) -> int:
        """Count the cells that were chosen, each once."""
        moments = self.moments
        where = np.nonzero(chosen)
        columns = (moments.starts_s - moments.starts_s[0, 0]) // moments.rules.column_seconds
        rows = (moments.lows - moments.lows.min()) // moments.rules.row_step_cents
        width = int(rows.max()) + 1
        seen = np.zeros((int(columns.max()) + 1) * width, dtype=bool)
        seen[columns[where[0], where[1]] * width + rows[where[0], where[2]]] = True
        return int(np.count_nonzero(seen))


class Sight:
    """What a player sees at the moments: flags and numbers that broadcast to (m, c, r)."""

    def __init__(self, board: Board) -> None:
        moments, past = board.moments, board.past
        self._moments, ticks = moments, moments.ticks
        self.rates: Floats = board.rates / BASIS_POINTS
        self.columns = moments.distances[None, :, None]
        self.low = moments.lows[:, None, :]
        self.high = self.low + moments.rules.row_step_cents
        self.close = _each(moments.close)
        self.below_usual = _each(past.usual_level[ticks] - moments.day.signals[ticks, 0])
        self.move = _each(past.move_10s[ticks])
        self.lowest, self.highest = _each(past.low[ticks]), _each(past.high[ticks])
        width_ms = 1000 * moments.rules.column_seconds
        self.in_column_ms = _each(moments.now_ms % width_ms)
        self.left_of_column_ms = width_ms - self.in_column_ms
        self.in_hour_ms = _each(moments.now_ms % HOUR_MS)
        now_ms = moments.now_ms
        self.since_gap_ms = _each(now_ms - past.gap_ended_ms[ticks])
        self.since_jump_ms = _each(now_ms - past.jumped_ms[ticks])
        self.since_move_ms = _each(now_ms - past.moved_ms[ticks])
        self.tick_age_ms = _each(moments.now_ms - moments.day.ids[ticks])

    def has_round(self, cents: int) -> Flags:
        """Tell whether a multiple of a round sum lies in the cell."""
        found: Flags = self.high // cents * cents >= self.low
        return found

    def with_move(self, side: int) -> Flags:
        """Tell whether the cell lies where the last 10 s went (1), or where they came from (-1)."""
        up, down = self.move * side > 0, self.move * side < 0
        found: Flags = (up & (self.low > self.close)) | (down & (self.high < self.close))
        return found

    def until_pause_s(self) -> tuple[Floats, Floats]:
        """Return how long it is until the pause expected next, from now and from the column's start; else infinite."""
        moments = self._moments
        since_ms, period_ms, pause_ms = moments.day.signals[moments.ticks][:, -3:].T
        since_ms = since_ms + moments.now_ms - moments.day.ids[moments.ticks]
        expected = (period_ms > 0) & (since_ms < period_ms)
        begins_s = np.where(expected, (period_ms - pause_ms - since_ms) / 1000, np.inf)
        return _each(begins_s), begins_s[:, None, None] - moments.opens_s[:, :, None]


def _each(values: npt.NDArray[_T]) -> npt.NDArray[_T]:
    return values[:, None, None]


def _calm(s: Sight) -> Flags:
    return s.below_usual > 0


def _very_calm(s: Sight) -> Flags:
    return s.below_usual > math.log(2)


def _after_gap(s: Sight) -> Flags:
    return s.since_gap_ms <= FRESH_GAP_MS


def _next_to_extreme(s: Sight) -> Flags:
    step = s.high - s.low
    at_high = (s.low <= s.highest + step) & (s.high >= s.highest)
    at_low = (s.high >= s.lowest - step) & (s.low <= s.lowest)
    return at_high | at_low


def _before_pause(s: Sight) -> Flags:
    begins_s, _ = s.until_pause_s()
    return (begins_s > 0) & (begins_s <= 5)


def _opens_in_pause(s: Sight) -> Flags:
    _, after_opening_s = s.until_pause_s()
    return (after_opening_s <= 0) & (after_opening_s > -5)


Choice = Callable[[Sight], Flags]

RULES: dict[str, Choice] = {
    "long shots: rate 20 or more": lambda s: s.rates >= 20,
    "long shots: rate 50 or more": lambda s: s.rates >= 50,
    "short odds: rate below 2": lambda s: s.rates < 2,
    "short odds: rate below 5": lambda s: s.rates < 5,
    "calm minutes: volatility below its hour's median": _calm,
    "calm minutes: volatility below half of it": _very_calm,
    "rate 20 or more in calm minutes": lambda s: (s.rates >= 20) & _calm(s),
    "rate 50 or more, column k+4 or nearer, below half of the volatility": (
        lambda s: (s.rates >= 50) & (s.columns <= 4) & _very_calm(s)
    ),
    "wild minutes: volatility above twice its hour's median": lambda s: s.below_usual < -math.log(2),
    "near columns: k+4 or nearer": lambda s: s.columns <= 4,
    "the first column": lambda s: s.columns == s.columns.min(),
    "the last column": lambda s: s.columns == s.columns.max(),
    "in the minute after a jump": lambda s: s.since_jump_ms <= MINUTE_MS,
    "rate 20 or more in the minute after a jump": (lambda s: (s.rates >= 20) & (s.since_jump_ms <= MINUTE_MS)),
    "next to the extremes of five minutes": _next_to_extreme,
    "beyond the extremes of five minutes": lambda s: (s.low > s.highest) | (s.high < s.lowest),
    "round numbers: a multiple of $100 in the cell": lambda s: s.has_round(10_000),
    "round numbers: a multiple of $50 in the cell": lambda s: s.has_round(5_000),
    "within 2 s of a gap": _after_gap,
    "rate 20 or more within 2 s of a gap": lambda s: (s.rates >= 20) & _after_gap(s),
    "in the 5 s before an expected pause": _before_pause,
    "windows that open in an expected pause": _opens_in_pause,
    "on the side of the last 10 s' move": lambda s: s.with_move(1),
    "rate 20 or more on the side of the last 10 s' move": lambda s: (s.rates >= 20) & s.with_move(1),
    "against the last 10 s' move": lambda s: s.with_move(-1),
    "rate 20 or more against the last 10 s' move": lambda s: (s.rates >= 20) & s.with_move(-1),
    "the row of the price": lambda s: (s.low <= s.close) & (s.close <= s.high),
    "the nearest row above": lambda s: (s.low > s.close) & (2 * s.low - s.high <= s.close),
    "the nearest row below": lambda s: (s.high < s.close) & (2 * s.high - s.low >= s.close),
    "above the price": lambda s: s.low > s.close,
    "below the price": lambda s: s.high < s.close,
    "in the first second of a column": lambda s: s.in_column_ms < 1_000,
    "in the last second of a column": lambda s: s.left_of_column_ms <= 1_000,
    "while the price has stood still for 3 s": lambda s: s.since_move_ms >= 3_000,
    "on a tick older than a second": lambda s: s.tick_age_ms >= 1_000,
    "in the first minute of an hour": lambda s: s.in_hour_ms < MINUTE_MS,
}
