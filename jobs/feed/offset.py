"""How far a source's price lies from the consensus for minutes on end, as where it quotes another dollar.

It is the median of what was seen in ten minutes, so that neither a wick nor a burst of trades teaches anything, and a
relation that has really changed is learnt within five. What was seen longer ago is forgotten: a source that was away
must show anew where it stands, and counts then as having stood there all the time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

WINDOW_MS = 600_000
SAMPLE_EVERY_MS = 500
SAMPLES_MIN = 5
"""With fewer, where a source stands is not known, and its prices do not count."""
OFFSET_MAX = 0.02
"""Greater ones are no premium of a currency: such a source quotes something else."""


class Offset:
    """The slow offset of one source, as a part of the price."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, float]] = deque()
        self._sorted: list[float] = []

    @property
    def known(self) -> float | None:
        """The offset; None while too little was seen, or where it is no offset any more."""
        if len(self._sorted) < SAMPLES_MIN:
            return None
        middle = self._sorted[len(self._sorted) // 2]
        return middle if abs(middle) <= OFFSET_MAX else None

    def add(self, now_ms: int, deviation: float) -> None:
        """Take in by which part of the consensus the source is above it."""
        self._samples.append((now_ms, deviation))
        insort(self._sorted, deviation)
        if len(self._samples) == SAMPLES_MIN:
            middle = self._sorted[SAMPLES_MIN // 2]
            before_ms = range(now_ms - WINDOW_MS, self._samples[0][0], SAMPLE_EVERY_MS)
            self._samples.extendleft((ms, middle) for ms in reversed(before_ms))
            self._sorted = sorted(deviation for _, deviation in self._samples)

    def forget(self, now_ms: int) -> None:
        """Leave out what is too long ago, or from before the clock stepped back."""
        samples = self._samples
        while samples and not 0 <= now_ms - samples[0][0] <= WINDOW_MS:
            _, deviation = samples.popleft()
            del self._sorted[bisect_left(self._sorted, deviation)]
