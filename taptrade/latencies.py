"""How long bets and commits take: of the last minute once one has passed, else since the processes began."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from runtime.metrics.quantiles import quantile, since, together
from runtime.metrics.table import HISTOGRAMS, HistogramName, Series, Snapshot

SPAN_MS = 60_000
OF: dict[str, tuple[HistogramName, str]] = {
    "bet": ("taptrade_request_seconds", "place_bet"),
    "commit": ("taptrade_commit_seconds", ""),
}
"""What is told of: its histogram, and the label in it."""


class Latency(msgspec.Struct, frozen=True):
    """How long something takes, and of how many that is told."""

    count: int
    p50_ms: float | None
    p99_ms: float | None
    of_last_minute: bool


class Latencies:
    """Remember the histograms of a minute ago, by process: a count goes on as long as its process does."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, dict[tuple[str, str, int], Series]]] = deque()

    def of(self, snapshots: Sequence[Snapshot], now_ms: int) -> dict[str, Latency]:
        """Return what the processes measured; `now_ms` is of a clock that never steps back."""
        known = {
            (what, one.process, one.pid): one.histograms[name][label]
            for one in snapshots
            for what, (name, label) in OF.items()
            if label in one.histograms.get(name, {})
        }
        self._seen.append((now_ms, known))
        while len(self._seen) > 1 and self._seen[1][0] <= now_ms - SPAN_MS:
            self._seen.popleft()
        began_ms, before = self._seen[0]
        is_minute = now_ms - began_ms >= SPAN_MS
        found = {}
        for what, (name, _) in OF.items():
            lately = [
                since(series, before.get(key) if is_minute else None) for key, series in known.items() if key[0] == what
            ]
            found[what] = _latency(together(lately), HISTOGRAMS[name].bounds, of_last_minute=is_minute)
        return found


def _latency(series: Series, bounds: Sequence[float], *, of_last_minute: bool) -> Latency:
    p50_s, p99_s = quantile(series, bounds, 0.5), quantile(series, bounds, 0.99)
    return Latency(sum(series.buckets), _ms(p50_s), _ms(p99_s), of_last_minute)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
