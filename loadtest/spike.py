"""`make spike`: signed bets from 0 to 5,000 a second in ten seconds, held, and back; then normal again, and counted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from loadtest.machine import Usage
from loadtest.measurement import Found, Measurement, Show, Trial
from loadtest.schedule import Figures, Plan
from loadtest.stage import P99_MS_MAX, Stage, stage

RAMP_S, HOLD_S = 10.0, 10.0
NORMAL = Plan(500, 0.0, 10.0)
LOOK = Plan(500, 0.0, 1.0)
RECOVERY_S_MAX = 60.0
BEYOND_CAPACITY = {"OVERLOADED", "UNAVAILABLE"}
"""Refusals for lack of capacity; the generator has checked that each says when to come back."""
TOO_LATE = {"PENDING", "NEVER_SENT", "BET_EXPIRED", "SIGNATURE_EXPIRED"}
"""What becomes of a bet that waited: still pending after two seconds, or too old when its turn came."""
MOVED_ON = {"CELL_CLOSED", "CELL_NOT_OFFERED", "RATE_MOVED", "PRICE_FEED_STALE"}
"""The same, by its cell or its price."""
COMMITTED_P99_MS_MAX = 1_000.0
"""A bet that is let in past capacity must still be of use; what could not be answered by then is to be refused."""


def complaints(found: Found) -> Iterator[str]:
    """Say what went wrong; nothing if the spike was taken as it should."""
    yield from (f"{name} died" for name in found["died"])
    for one in found["phases"]:
        broken = {code: n for code, n in one["errors"].items() if code not in BEYOND_CAPACITY | TOO_LATE | MOVED_ON}
        if broken:
            yield f"{one['name']}: {broken}"
        if one["p99_ms"] >= COMMITTED_P99_MS_MAX:
            yield f"{one['name']}: bets were let in that waited {one['p99_ms']:,.0f} ms for their commit (p99)"
    if found["recovered_s"] is None:
        yield "latency did not come back to normal"


def spiked(
    trial: Trial,
    rate: Annotated[int, "signed bets a second at the top"] = 5_000,
    connections: Annotated[int, "over which they come"] = 5_000,
) -> Found:
    """Go from nothing to 5,000 bets a second in ten seconds, and back; before and after it all is normal."""
    plan = Plan(rate, 0.0, RAMP_S + HOLD_S + RAMP_S, RAMP_S)
    with stage(trial, connections=connections) as on:
        first = on.usage()
        with trial.display.step("before", NORMAL.measure_s):
            calm = phase("before", on.generator.follow(NORMAL))
        # What lives through the calm is there to stay: not a copy of Redis that writes a file and ends.
        calmed = on.usage()
        with trial.display.step(f"0 to {rate:,} bets/s and back", plan.measure_s) as show:
            rush, seconds = _rush(on, plan, show)
        with trial.display.step("after", NORMAL.measure_s):
            recovered_s = _recovery_s(on)
            after = phase("after", on.generator.follow(NORMAL))
        gone = died(first, calmed, on.usage())
        on.count_money()
    committed_per_s, others_per_s = held(seconds, RAMP_S, RAMP_S + HOLD_S)
    return {
        # While the rate was at the top.
        "held_committed_per_s": committed_per_s,
        "held_others_per_s": others_per_s,
        "phases": [calm, rush, after],
        "seconds": seconds,
        # How long after the last answer of the spike p99 was normal, None for never.
        "recovered_s": recovered_s,
        "died": gone,
    }


def _rush(on: Stage, plan: Plan, show: Show) -> tuple[Found, list[Found]]:
    """Follow the spike and keep what was answered by each of its seconds."""
    start_s = time.monotonic()
    seconds: list[Found] = []

    def note(good: int, errors: int) -> None:
        counted = {"committed": good, "errors": errors, "backlog_bets": on.running.backlog_bets()}
        at_s, api = round(time.monotonic() - start_s), on.usage().get("api", Usage())
        seconds.append({"at_s": at_s, **counted, "api_mb": api.own_mb})
        show(f"{good:,} committed, {errors:,} other answers")

    return phase("spike", on.generator.follow(plan, note)), seconds


def _recovery_s(on: Stage) -> float | None:
    """Return how long it took until a second of normal load was answered in normal time."""
    start_s = time.monotonic()
    while (passed_s := time.monotonic() - start_s) < RECOVERY_S_MAX:
        if is_normal(phase("", on.generator.follow(LOOK))):
            return round(passed_s, 1)
    return None


def phase(name: str, figures: Figures) -> Found:
    """Put one stretch's figures together; p50, p99 and max are of the committed bets."""
    return {
        "name": name,
        "sent": figures.good + figures.errors.total(),
        "committed": figures.good,
        **figures.good_latencies.ms(50, 99, 100),
        # Refusals, and whatever else was answered, included.
        "all_p99_ms": figures.latencies.ms(99)["p99_ms"],
        "late_p99_ms": figures.lateness.ms(99)["p99_ms"],
        "errors": dict(figures.errors),
    }


def is_normal(one: Found) -> bool:
    """Tell whether players would notice nothing."""
    return one["p99_ms"] < P99_MS_MAX and not one["errors"]


def held(seconds: Sequence[Found], from_s: float, until_s: float) -> tuple[float, float]:
    """Return bets committed and other answers a second between two seconds of the spike."""
    within = [one for one in seconds if from_s <= one["at_s"] <= until_s]
    if len(within) < 2:
        return 0.0, 0.0
    first, last = within[0], within[-1]
    passed_s = last["at_s"] - first["at_s"]
    return (last["committed"] - first["committed"]) / passed_s, (last["errors"] - first["errors"]) / passed_s


def died(first: Mapping[str, Usage], calmed: Mapping[str, Usage], last: Mapping[str, Usage]) -> list[str]:
    """Return the names of the processes that were there at both of the first looks and are not at the last."""
    stayed = {name: one.pids & first[name].pids for name, one in calmed.items() if name in first}
    return sorted(name for name, pids in stayed.items() if pids - last.get(name, Usage()).pids)


MEASUREMENT = Measurement("spike", spiked, complaints, sections=("spike", "spike: seconds"))
