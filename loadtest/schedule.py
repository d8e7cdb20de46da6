"""When requests are due, and what came of them: the pure half of the open loop."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

WAIT_S_MAX = 0.1
GIVE_UP_S = 10.0
"""How long late requests and answers are waited for after the schedule's end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule: `rate` requests a second (0: as fast as connections allow), measured after a warm-up.

    With `ramp_s` the rate rises from nothing for so long, and falls to nothing at the end for as long.
    """

    rate: int
    warm_up_s: float
    measure_s: float
    ramp_s: float = 0.0

    @property
    def total(self) -> int:
        """How many requests there are in all."""
        return round(self.rate * (self.warm_up_s + self.measure_s - self.ramp_s))

    def due_after_s(self, number: int) -> float:
        """Return how long after the start request `number` (from 0) is due."""
        if not self.ramp_s:
            return number / self.rate
        in_ramp = self.rate * self.ramp_s / 2
        if number < in_ramp:
            return float((2 * number * self.ramp_s / self.rate) ** 0.5)
        if self.total - number < in_ramp:
            left = (2 * (self.total - number) * self.ramp_s / self.rate) ** 0.5
            return float(self.warm_up_s + self.measure_s - left)
        return self.ramp_s / 2 + number / self.rate


class Latencies:
    """Durations in microseconds, four bytes each."""

    def __init__(self) -> None:
        self._recorded = array("I")

    def add(self, microseconds: int) -> None:
        """Record one duration; a clock that was set back makes none negative."""
        self._recorded.append(max(microseconds, 0))

    def __len__(self) -> int:
        return len(self._recorded)

    def percentile_us(self, percent: float) -> int:
        """Return the duration that `percent` of all do not exceed, 0 if there are none."""
        self._recorded = array("I", sorted(self._recorded))
        # Rounded up: with 100 durations the 99th percentile is the 99th, with 101 the 100th.
        rank = -int(-len(self) * percent // 100)
        return self._recorded[rank - 1] if rank else 0

    def ms(self, *percents: float) -> dict[str, float]:
        """Return percentiles by name in milliseconds, to the hundredth: `p99_ms`, the longest as `max_ms`."""
        return {
            "max_ms" if percent == 100 else f"p{percent}_ms": round(self.percentile_us(percent) / 1000, 2)
            for percent in percents
        }


@dataclass(slots=True)
class Figures:
    """What came of a plan. Errors count from the first request on, everything else after the warm-up."""

    latencies: Latencies = field(default_factory=Latencies)
    good_latencies: Latencies = field(default_factory=Latencies)
    """Those of the wanted answers alone."""
    lateness: Latencies = field(default_factory=Latencies)
    """How late requests left, whether a connection was missing or the generator itself was behind."""
    errors: Counter[str] = field(default_factory=Counter)
    good: int = 0
    """Wanted answers since the first request."""
    good_in_window: int = 0
    """Wanted answers that arrived between the warm-up and the end."""


class Schedule:
    """One run of a plan that starts at `start_s`; all times are of one monotonic clock."""

    def __init__(self, plan: Plan, start_s: float) -> None:
        self.figures = Figures()
        self._start_s = start_s
        self._window_s = start_s + plan.warm_up_s
        self._end_s = self._window_s + plan.measure_s
        self._plan = plan
        self._total = plan.total
        self._taken = 0
        self._answered = 0

    def is_due(self, now_s: float) -> bool:
        """Tell whether a request should be on its way by now."""
        if not self._plan.rate:
            return self._start_s <= now_s < self._end_s
        return self._taken < self._total and self._due_s() <= now_s

    def until_due_s(self, now_s: float) -> float:
        """Return how long nothing needs to be sent, at most WAIT_S_MAX."""
        if self._plan.rate and self._taken == self._total:
            return WAIT_S_MAX
        return min(max(self._due_s() - now_s, 0.0), WAIT_S_MAX)

    def take(self, now_s: float) -> float:
        """Take the next request off the schedule; return when it was due, which its latency counts from."""
        due_s = self._due_s() if self._plan.rate else now_s
        self._taken += 1
        if due_s >= self._window_s:
            self.figures.lateness.add(round((now_s - due_s) * 1e6))
        return due_s

    def note(self, due_s: float, now_s: float, code: str) -> None:
        """Note an answer, or what took its place; an empty code is the wanted answer."""
        self._answered += 1
        if due_s >= self._window_s:
            latency_us = round((now_s - due_s) * 1e6)
            self.figures.latencies.add(latency_us)
            if not code:
                self.figures.good_latencies.add(latency_us)
        if code:
            self.figures.errors[code] += 1
            return
        self.figures.good += 1
        if self._window_s <= now_s < self._end_s:
            self.figures.good_in_window += 1

    def is_over(self, now_s: float) -> bool:
        """Tell whether all is sent and answered, or waited for long enough."""
        if now_s >= self._end_s + GIVE_UP_S:
            return True
        if self._plan.rate:
            return self._answered == self._total
        return now_s >= self._end_s and self._answered == self._taken

    def give_up(self, now_s: float) -> None:
        """Count what never left as errors of the age that they have now."""
        while self._taken < self._total:
            self.note(self.take(now_s), now_s, "NEVER_SENT")

    def _due_s(self) -> float:
        return self._start_s + (self._plan.due_after_s(self._taken) if self._plan.rate else 0.0)
