"""`make spike`: signed bets from 0 to 5,000 a second in ten seconds, held, and back; then normal again, and counted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Struct

from loadtest.bench import machine
from loadtest.bench.generator import Progress
from loadtest.bench.schedule import Figures, Plan
from loadtest.bench.stage import P99_MS_MAX, Stage, stage
from loadtest.display import Show
from loadtest.measurement import Findings, Measurement, Trial

RAMP_S, HOLD_S = 10.0, 10.0
NORMAL = Plan(500, 0.0, 10.0)
LOOK = Plan(500, 0.0, 1.0)
RECOVERY_S_MAX = 60.0
BEYOND_CAPACITY = frozenset({"OVERLOADED", "UNAVAILABLE"})
"""Refusals for lack of capacity; the generator has checked that each says when to come back."""
TOO_LATE = frozenset(
    {
        "PENDING",
        "BET_EXPIRED",
        "CELL_CLOSED",
        "CELL_NOT_OFFERED",
        "RATE_MOVED",
        "SIGNATURE_EXPIRED",
        "PRICE_FEED_STALE",
        "NEVER_SENT",
    }
)
"""What becomes of a bet that waited: still pending after two seconds, or its price or cell gone by."""
COMMITTED_P99_MS_MAX = 1_000.0
"""A bet that is let in past capacity must still be of use; what could not be answered by then is to be refused."""


class Phase(Struct):
    """One stretch of load; p50, p99 and max are of the committed bets."""

    name: str
    sent: int
    committed: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    all_p99_ms: float
    """Refusals, and whatever else was answered, included."""
    late_p99_ms: float
    errors: dict[str, int]


class Second(Struct):
    """What was answered so far, at one second of the spike."""

    at_s: int
    committed: int
    errors: int
    backlog_bets: int
    api_mb: float
    """Memory that the API's processes have to themselves."""


class Spike(Findings, kw_only=True):
    """A whole run; `recovered_s` is how long after the last answer of the spike p99 was normal, None for never."""

    held_committed_per_s: float
    """While the rate was at the top."""
    held_others_per_s: float
    phases: list[Phase]
    seconds: list[Second]
    recovered_s: float | None
    died: list[str]

    def complaints(self) -> list[str]:
        """Return what went wrong; empty if the spike was taken as it should."""
        found = [f"{name} died" for name in self.died]
        for one in self.phases:
            broken = {code: n for code, n in one.errors.items() if code not in BEYOND_CAPACITY | TOO_LATE}
            if broken:
                found.append(f"{one.name}: {broken}")
            if one.p99_ms >= COMMITTED_P99_MS_MAX:
                found.append(f"{one.name}: bets were let in that waited {one.p99_ms:,.0f} ms for their commit (p99)")
        if self.recovered_s is None:
            found.append("latency did not come back to normal")
        return [*found, *super().complaints()]


def spiked(
    trial: Trial,
    rate: Annotated[int, "signed bets a second at the top"] = 5_000,
    connections: Annotated[int, "over which they come"] = 5_000,
) -> Spike:
    """Go from nothing to 5,000 bets a second in ten seconds, and back; before and after it all is normal."""
    plan = Plan(rate, 0.0, RAMP_S + HOLD_S + RAMP_S, RAMP_S)
    with stage(trial, connections=connections) as on:
        first = machine.members(on.roots)
        with trial.display.step("before", NORMAL.measure_s):
            calm = phase("before", on.generator.follow(NORMAL))
        # What lives through the calm is there to stay: not a copy of Redis that writes a file and ends.
        before = {pid: name for pid, name in machine.members(on.roots).items() if pid in first}
        with trial.display.step(f"0 to {rate:,} bets/s and back", plan.measure_s) as show:
            rush, seconds = _rush(on, plan, show)
        with trial.display.step("after", NORMAL.measure_s):
            recovered_s = _recovery_s(on)
            after = phase("after", on.generator.follow(NORMAL))
        gone = died(before, machine.members(on.roots))
        on.count_money()
    committed_per_s, others_per_s = held(seconds, RAMP_S, RAMP_S + HOLD_S)
    return Spike(
        held_committed_per_s=committed_per_s,
        held_others_per_s=others_per_s,
        phases=[calm, rush, after],
        seconds=seconds,
        recovered_s=recovered_s,
        died=gone,
    )


def _rush(on: Stage, plan: Plan, show: Show) -> tuple[Phase, list[Second]]:
    """Follow the spike and keep what was answered by each of its seconds."""
    start_s = time.monotonic()
    seconds: list[Second] = []

    def note(progress: Progress) -> None:
        at_s = round(time.monotonic() - start_s)
        api_mb = machine.memory_and_descriptors(on.roots)["api"].own_mb
        seconds.append(Second(at_s, progress.good, progress.errors, on.vitals.backlog_bets(), api_mb))
        show(f"{progress.good:,} committed, {progress.errors:,} other answers")

    return phase("spike", on.generator.follow(plan, note)), seconds


def _recovery_s(on: Stage) -> float | None:
    """Return how long it took until a second of normal load was answered in normal time."""
    start_s = time.monotonic()
    while (passed_s := time.monotonic() - start_s) < RECOVERY_S_MAX:
        if is_normal(phase("", on.generator.follow(LOOK))):
            return round(passed_s, 1)
    return None


def phase(name: str, figures: Figures) -> Phase:
    """Put one stretch's figures together."""
    return Phase(
        name=name,
        sent=figures.good + figures.errors.total(),
        committed=figures.good,
        p50_ms=figures.good_latencies.percentile_ms(50),
        p99_ms=figures.good_latencies.percentile_ms(99),
        max_ms=figures.good_latencies.max_ms,
        all_p99_ms=figures.latencies.percentile_ms(99),
        late_p99_ms=figures.lateness.percentile_ms(99),
        errors=dict(figures.errors),
    )


def is_normal(one: Phase) -> bool:
    """Tell whether players would notice nothing."""
    return one.p99_ms < P99_MS_MAX and not one.errors


def held(seconds: Sequence[Second], from_s: float, until_s: float) -> tuple[float, float]:
    """Return bets committed and other answers a second between two seconds of the spike."""
    within = [one for one in seconds if from_s <= one.at_s <= until_s]
    if len(within) < 2:
        return 0.0, 0.0
    first, last = within[0], within[-1]
    passed_s = last.at_s - first.at_s
    return (last.committed - first.committed) / passed_s, (last.errors - first.errors) / passed_s


def died(before: Mapping[int, str], after: Mapping[int, str]) -> list[str]:
    """Return the names of processes that were there before and are not there after."""
    return sorted(name for pid, name in before.items() if pid not in after)


MEASUREMENT = Measurement("spike", spiked)
