"""Signals: what the recent price says of the next minute, kept up one published tick at a time.

They are the inputs of the mixture model. Moves over 1, 5 and 15 seconds are averaged over half-lives from 5 s to half
an hour, as in heterogeneous autoregressive forecasts of volatility (Corsi 2009): what a market did in the last seconds,
in the last minute and in the last half hour each tell of the next one. Ranges over two and ten seconds show a spike
that has come back, which no net move does. All but the first are ratios, so that a model which was fitted on one day
can be asked on another one, whatever the price's level and the day's volatility.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque

RESET_MS = 10_000
"""A longer silence begins everything anew, as it does for the volatility."""
PAUSE_MS = 2_500
"""A silence from here on is a pause: of the source, or of who recorded it."""
PERIOD_MS = (10_000, 120_000)
"""Pauses this far apart may be regular, and the next one can be expected."""
SAMPLE_MS = 1_000
NOISE_CENTS2 = 25.0
"""Added to each mean square (five cents squared), so that a price that stands still has a logarithm."""
LEVEL = 5.0
"""Logarithm of a volatility of about 1.50 USD per square root of a second."""

HALF_LIVES_S = {1: (5, 15, 60, 300, 1800), 5: (15, 60, 300, 1800), 15: (60, 300, 1800)}
MOVES = ((1_000, 1.5), (2_000, 1.0), (5_000, 1.0), (15_000, 0.7), (60_000, 0.5))
"""The signed moves: over how long, and what brings each to the order of one."""
RANGES_MS = (2_000, 10_000, 60_000, 300_000)
RANGE_USUAL = (1.0, 2.0, 3.0, 5.0)
"""Subtracted from each range, so that it lies about zero."""
TILT_SCALE = (1.0, 1.0, 1.0, 0.5)

LEVELS = (
    "level",
    "1s_5_60",
    "1s_15_60",
    "1s_60_300",
    "1s_300_1800",
    "5s_1s_15",
    "5s_1s_60",
    "5s_1s_300",
    "5s_1s_1800",
    "15s_1s_60",
    "15s_1s_300",
    "15s_1s_1800",
    "moving",
    "range_2",
    "range_10",
    "range_60",
    "range_300",
)
"""Signals that a mirrored price would leave as they are, in order."""
DIRECTIONS = ("move_1", "move_2", "move_5", "move_15", "move_60", "tilt_2", "tilt_10", "tilt_60", "tilt_300")
"""Signals that a mirrored price would turn round, in order."""
PAUSES = ("since_pause_ms", "pause_period_ms", "pause_ms")
"""When the last pause ended, how far apart the last ones ended, and how long the last one was; 0 if none is known."""
NAMES = LEVELS + DIRECTIONS + PAUSES


class _Mean:
    """A mean of squared moves by a half-life, weighted by the time that they cover, not biased while it is young."""

    def __init__(self, half_life_s: int) -> None:
        self._half_life_s = half_life_s
        self._sum = self._weight = 0.0

    def add(self, value: float, passed_s: float) -> None:
        keep = 0.5 ** (passed_s / self._half_life_s)
        weight = (1.0 - keep) * self._half_life_s
        self._sum = self._sum * keep + weight * value
        self._weight = self._weight * keep + weight

    def value(self) -> float:
        return self._sum / self._weight if self._weight else 0.0


class _Extreme:
    """The greatest value of the last while: only what no later value exceeds is kept."""

    def __init__(self, span_ms: int) -> None:
        self._span_ms = span_ms
        self._kept: deque[tuple[int, int]] = deque()

    def add(self, ms: int, value: int) -> int:
        kept = self._kept
        while kept and kept[-1][1] <= value:
            kept.pop()
        kept.append((ms, value))
        while kept[0][0] < ms - self._span_ms:
            kept.popleft()
        return kept[0][1]


class Signals:
    """Take in the close of each tick; tell the signals as of the newest. Restored by adding the last ticks again."""

    def __init__(self) -> None:
        self._last_ms = -1
        self._pause_ended_ms = self._pause_ms = self._period_ms = 0
        self._values: tuple[float, ...] = ()

    def _begin(self, ms: int, cents: int) -> None:
        self._first_ms = self._sample_ms = ms
        self._sample_cents = cents
        self._times: list[int] = []
        self._cents: list[int] = []
        self._means = {width: tuple(map(_Mean, half_lives)) for width, half_lives in HALF_LIVES_S.items()}
        self._moving = _Mean(60)
        self._highs = tuple(map(_Extreme, RANGES_MS))
        self._lows = tuple(map(_Extreme, RANGES_MS))

    def add(self, ms: int, cents: int) -> None:
        """Take in a price observed at `ms`, which is not before the newest."""
        silent_ms = ms - self._last_ms
        if self._last_ms < 0 or silent_ms > RESET_MS:
            self._begin(ms, cents)
        if self._last_ms >= 0 and silent_ms > PAUSE_MS:
            self._pause(ms, silent_ms)
        self._last_ms = ms
        self._times.append(ms)
        self._cents.append(cents)
        if len(self._times) > 4_000:
            # Twice what a minute holds, at least: the rest is looked at no more.
            del self._times[:2_000], self._cents[:2_000]
        if ms - self._sample_ms >= SAMPLE_MS:
            self._sample(ms, cents)
        self._values = self._worked_out(ms, cents)

    def values(self) -> tuple[float, ...]:
        """Return the signals as of the newest price in the order of NAMES, none before the first."""
        return self._values

    def _pause(self, ms: int, silent_ms: int) -> None:
        apart_ms = ms - self._pause_ended_ms
        if PERIOD_MS[0] < apart_ms < PERIOD_MS[1]:
            usual_ms = self._period_ms
            if not usual_ms:
                self._period_ms = apart_ms
            elif abs(apart_ms - usual_ms) < usual_ms // 5:
                self._period_ms = (7 * usual_ms + 3 * apart_ms) // 10
        self._pause_ended_ms, self._pause_ms = ms, silent_ms

    def _before(self, ms: int) -> tuple[int, int]:
        """Return the time and the price of the last tick at or before `ms`, else of the first."""
        index = max(0, bisect_right(self._times, ms) - 1)
        return self._times[index], self._cents[index]

    def _sample(self, ms: int, cents: int) -> None:
        passed_s = (ms - self._sample_ms) / 1000
        move = cents - self._sample_cents
        for mean in self._means[1]:
            mean.add(move * move / passed_s, passed_s)
        for width in (5, 15):
            if ms - self._first_ms >= 1000 * width:
                from_ms, from_cents = self._before(ms - 1000 * width)
                per_s = (cents - from_cents) ** 2 / ((ms - from_ms) / 1000)
                for mean in self._means[width]:
                    mean.add(per_s, passed_s)
        self._moving.add(float(move != 0), passed_s)
        self._sample_ms, self._sample_cents = ms, cents

    def _worked_out(self, ms: int, cents: int) -> tuple[float, ...]:
        one, five, fifteen = (
            [math.log(mean.value() + NOISE_CENTS2) for mean in self._means[width]] for width in HALF_LIVES_S
        )
        # The logarithm of a volatility from both short and long moves: a price that swings to and fro counts less.
        log_scale = (one[2] + one[3] + five[1] + fifteen[1]) / 8
        scale = math.exp(log_scale)
        spans = []
        tilts = []
        for high, low in zip(self._highs, self._lows, strict=True):
            above = math.asinh((high.add(ms, cents) - cents) / scale)
            below = math.asinh((low.add(ms, -cents) + cents) / scale)
            spans.append(above + below)
            tilts.append(above - below)
        levels = (
            log_scale - LEVEL,
            one[0] - one[2],
            one[1] - one[2],
            one[2] - one[3],
            one[3] - one[4],
            *(wide - narrow for wide, narrow in zip(five, one[1:], strict=True)),
            *(wide - narrow for wide, narrow in zip(fifteen, one[2:], strict=True)),
            2 * self._moving.value() - 1,
            *(span - usual for span, usual in zip(spans, RANGE_USUAL, strict=True)),
        )
        moves = (factor * math.asinh((cents - self._before(ms - span)[1]) / scale) for span, factor in MOVES)
        leaning = (tilt * factor for tilt, factor in zip(tilts, TILT_SCALE, strict=True))
        directions = (*moves, *leaning)
        # Three decimals are far below what a day can tell apart, and keep a tick short.
        rounded = tuple(round(value, 3) for value in (*levels, *directions))
        since_ms = ms - self._pause_ended_ms if self._pause_ended_ms else 0
        return (*rounded, since_ms, self._period_ms, self._pause_ms)
