"""`make bench AGAINST=REV`: this build and another, measured in turns by one generator, and told as ratios.

Machines differ, and one machine differs from hour to hour. What two builds do minutes apart may be compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from statistics import median
from typing import Annotated

from loadtest.capacity import FIXED, Run, highest_of, known_of
from loadtest.measurement import Found, Measurement, Trial
from loadtest.revision import HERE, Revision, prepared
from loadtest.schedule import Plan
from loadtest.stage import Stage, stage

RATES = (1_000, 3_000)
ROUNDS = 3
SEARCH_S = 240.0
"""How long a build's highest rate is looked for."""
NOT_SERVER = ("generator",)
IS_OURS, IS_THEIRS = "this build", "the other"


def measured(
    trial: Trial,
    revision: Annotated[str, "what to measure against"] = "",
    rates: Annotated[list[int] | None, f"bets a second; else {RATES}, and the highest that each build carries"] = None,
    rounds: Annotated[int, "times that both are measured"] = ROUNDS,
) -> Found:
    """Measure this build and another in turns, and tell how they compare."""
    with trial.display.step(f"installing {revision}", 120):
        builds = {IS_OURS: HERE, IS_THEIRS: prepared(revision)}
    turns: dict[str, list[Found]] = {name: [] for name in builds}
    for number in range(rounds):
        # Who comes first is changed about, so that a machine that slows down hurts neither.
        for name in sorted(builds, reverse=number % 2 == 1):
            trial.display.say(f"round {number + 1} of {rounds}: {name}")
            searches = number == rounds - 1 and rates is None
            turns[name].append(_turn(trial, f"{name} {number}", builds[name], rates or RATES, searches=searches))
    return {
        "revision": builds[IS_THEIRS].name,
        "turns": turns,
        "compared": compared(turns[IS_OURS], turns[IS_THEIRS]),
        "seconds": round(trial.display.elapsed_s(), 1),
    }


def _turn(trial: Trial, name: str, build: Revision, rates: Sequence[int], *, searches: bool) -> Found:
    start_s = time.monotonic()
    run = Run(trial)
    with stage(trial, name.replace(" ", "-"), revision=build) as on:
        started_s = time.monotonic() - start_s
        found = [run.rate(on, Plan(rate, *FIXED)) for rate in rates]
        highest = None
        if searches:
            until_s = trial.display.elapsed_s() + SEARCH_S
            highest = highest_of(known_of([*found, *run.search(on, found, until_s)]))
        memory_mb = _memory_mb(on)
        on.count_money()
    return {"rates": found, "highest": highest, "memory_mb": memory_mb, "started_s": started_s}


def _memory_mb(on: Stage) -> float:
    """Return what the server's processes have for themselves: what they share would be counted for each."""
    return sum(one.own_mb for name, one in on.usage().items() if name not in NOT_SERVER)


def server_us(rate: Found) -> float:
    """Return the CPU that a bet took of all processes of the server, in microseconds."""
    return float(sum(spent for name, spent in rate["cpu_us_per_bet"].items() if name not in NOT_SERVER))


def compared(ours: Sequence[Found], theirs: Sequence[Found]) -> list[Found]:
    """Tell each figure of both as the medians of their turns, their ratio, and the ratios of the single rounds."""
    found = []
    for place, rate in enumerate(one["rate"] for one in ours[0]["rates"]):
        at = f"at {rate:,} bets/s"
        names = {name for turn in (*ours, *theirs) for name in turn["rates"][place]["cpu_us_per_bet"]}
        found += [
            _held(f"{name} us a bet {at}", ours, theirs, _of_rate(place, partial(_cost, name)))
            for name in ("api", "writer", "nginx", "redis", "settler")
            if name in names
        ]
        found.append(_held(f"server us a bet {at}", ours, theirs, _of_rate(place, server_us)))
        found += [
            _held(f"{label} {at}", ours, theirs, _of_rate(place, itemgetter(key)))
            for label, key in (("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"), ("committed/s", "committed_per_s"))
        ]
    found.append(_held("own memory MB", ours, theirs, itemgetter("memory_mb")))
    found.append(_held("s to signed-in players", ours, theirs, itemgetter("started_s")))
    if ours[-1]["highest"] is not None:
        found.append(_held("highest rate, bets/s", ours[-1:], theirs[-1:], itemgetter("highest")))
    return found


def _of_rate(place: int, figure: Callable[[Found], float]) -> Callable[[Found], float]:
    return lambda turn: figure(turn["rates"][place])


def _cost(name: str, rate: Found) -> float:
    return float(rate["cpu_us_per_bet"].get(name, 0.0))


def _held(what: str, ours: Sequence[Found], theirs: Sequence[Found], figure: Callable[[Found], float]) -> Found:
    pairs = [(figure(our), figure(their)) for our, their in zip(ours, theirs, strict=True)]
    ratios = sorted(our / their for our, their in pairs if their)
    middle = (median(our for our, _ in pairs), median(their for _, their in pairs))
    return {
        "what": what,
        "ours": middle[0],
        "theirs": middle[1],
        "ratio": middle[0] / middle[1] if middle[1] else None,
        "ratios": ratios,
    }


def complaints(found: Found) -> Iterator[str]:
    """No bet of ours may fail."""
    for turn in found["turns"][IS_OURS]:
        for rate in turn["rates"]:
            if rate["errors"]:
                yield f"errors at {rate['rate']:,} bets/s: {rate['errors']}"


MEASUREMENT = Measurement(
    "against",
    measured,
    complaints,
    # Only a whole run looks for the highest rate.
    renews=lambda found: found["options"]["rates"] is None,
    nginx="wanted",
)
