"""A recorded day as the house would have seen it: the feed's ticks with their features, and the windows' evidence."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.feed.buckets import Bar, Buckets
from jobs.feed.quotes import Quote
from jobs.feed.recording import read_recording
from runtime.game.grid import GridRules
from runtime.game.settlement import evidence
from runtime.game.signals import NAMES, PAUSE_MS
from runtime.game.ticks import Features, Tick
from runtime.game.volatility import GAP_MS_MAX, Volatility
from runtime.storage.files import sha256_of

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Progress = Callable[[str, float], None]
"""progress(what, share): called now and then with how much of it is done."""

TOLD_EVERY = 5_000
TICKS_RATIO_MAX = 1.6
PAUSED_APART_MAX = 0.15


@dataclass(frozen=True, slots=True)
class Kind:
    """How a source is observed: what tells kinds of feeds apart, measured."""

    ticks_per_s: float
    paused: float
    """Share of the time that lies in silences between 2.5 and 10 s."""

    def fits(self, other: Kind) -> bool:
        """Tell whether a model of one kind can be asked about the other."""
        ratio = max(self.ticks_per_s, other.ticks_per_s) / max(1e-9, min(self.ticks_per_s, other.ticks_per_s))
        return ratio < TICKS_RATIO_MAX and abs(self.paused - other.paused) < PAUSED_APART_MAX

    def as_json(self) -> dict[str, float]:
        """Return it with the names of a model file."""
        return {"ticks_per_s": round(self.ticks_per_s, 3), "paused": round(self.paused, 3)}

    def __str__(self) -> str:
        return f"{self.ticks_per_s:.2g} ticks a second, {self.paused:.0%} of the time in pauses"


@dataclass(frozen=True, slots=True)
class Windows:
    """What the price did in each window of a day, by the evidence that settles bets."""

    first_s: int
    width_s: int
    covered: Flags
    low: Whole
    high: Whole

    def index(self, starts_s: Whole) -> Whole:
        """Return where the windows that start then are; out of the day is the nearest, which is not covered."""
        return np.clip((starts_s - self.first_s) // self.width_s, 0, len(self.covered) - 1)


@dataclass(frozen=True, slots=True)
class Day:
    """A recording played through the feed."""

    name: str
    sha256: str
    rows: int
    ids: Whole
    close: Whole
    signals: Floats
    """A row a tick, in the order of runtime.game.signals.NAMES."""
    features: tuple[Features, ...]
    history_ms: Whole
    """How long the series behind each tick's features is."""
    windows: Windows
    kind: Kind

    def tick(self, index: int) -> Tick:
        """Return a tick as the house had it; its low and high are left to the windows."""
        close = int(self.close[index])
        return Tick(int(self.ids[index]), int(self.ids[index]), close, close, close, "replay", self.features[index])


def read_day(path: Path, rules: GridRules, progress: Progress) -> Day:
    """Play a recording through the feed's intervals, features and windows; raise RecordingError for a bad file."""
    recording = read_recording(path)
    bars = _bars(recording.times_ms, recording.cents)
    volatility = Volatility()
    features = []
    for count, bar in enumerate(bars):
        volatility.add(bar.id, bar.close)
        features.append(volatility.features())
        if count % TOLD_EVERY == 0:
            progress(path.name, 0.7 * count / len(bars))
    windows = _windows(bars, rules, lambda share: progress(path.name, 0.7 + 0.3 * share))
    progress(path.name, 1.0)
    ids = np.array([bar.id for bar in bars], dtype=np.int64)
    unknown = (0.0,) * len(NAMES)
    return Day(
        name=path.name,
        sha256=sha256_of(path),
        rows=len(recording.times_ms),
        ids=ids,
        close=np.array([bar.close for bar in bars], dtype=np.int64),
        signals=np.array([each.signals or unknown for each in features]),
        features=tuple(features),
        history_ms=np.array([each.history_ms for each in features], dtype=np.int64),
        windows=windows,
        kind=_kind(ids),
    )


def _bars(times_ms: Any, cents: Any) -> list[Bar]:
    buckets = Buckets(0)
    bars = []
    for time_ms, price in zip(times_ms, cents, strict=True):
        bar = buckets.add(Quote(time_ms, time_ms, price))
        if bar:
            bars.append(bar)
    last = buckets.close(times_ms[-1] + 1_000)
    return [*bars, last] if last else bars


def _windows(bars: list[Bar], rules: GridRules, told: Callable[[float], None]) -> Windows:
    """Judge every window of the day by the rule that settles; the last ones, which nothing follows, are not covered."""
    none = Features(0.0, 0, 0)
    ticks = [Tick(bar.id, bar.exchange_ms, bar.close, bar.low, bar.high, "replay", none) for bar in bars]
    ids = [bar.id for bar in bars]
    width_s = rules.column_seconds
    first_s = ids[0] // 1000 // width_s * width_s
    starts_s = range(first_s, ids[-1] // 1000 + width_s, width_s)
    covered, low, high = [], [], []
    for count, start_s in enumerate(starts_s):
        start_ms, end_ms = start_s * 1000, (start_s + width_s) * 1000
        carried = bisect_right(ids, start_ms) - 1
        first, last = bisect_left(ids, start_ms), bisect_left(ids, end_ms)
        found = evidence(
            ticks[carried] if carried >= 0 else None,
            ticks[first:last],
            ticks[last] if last < len(ticks) else None,
            start_ms,
            end_ms,
            end_ms + 3_600_000,
        )
        ok = found is not None and found.covered and found.low is not None and found.high is not None
        covered.append(ok)
        low.append(found.low if ok and found and found.low else 0)
        high.append(found.high if ok and found and found.high else 0)
        if count % TOLD_EVERY == 0:
            told(count / len(starts_s))
    return Windows(first_s, width_s, np.array(covered), np.array(low, dtype=np.int64), np.array(high, dtype=np.int64))


def _kind(ids: Whole) -> Kind:
    apart_ms = np.diff(ids)
    apart_ms = apart_ms[apart_ms <= GAP_MS_MAX]
    seconds = max(1.0, float(apart_ms.sum()) / 1000)
    return Kind(len(apart_ms) / seconds, float(apart_ms[apart_ms > PAUSE_MS].sum()) / 1000 / seconds)
