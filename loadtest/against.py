"""`make bench AGAINST=REV`: this build and another, measured in turns by one generator, and told as ratios.

Machines differ, and one machine differs from hour to hour. What two builds do minutes apart may be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from statistics import median
from typing import Annotated

from loadtest import yardsticks
from loadtest.capacity import FIXED, NOT_SERVER, STEP, Run, highest_of, known_of, server_us
from loadtest.first_bet import first_bet_s
from loadtest.measurement import Found, Measurement, Trial
from loadtest.revision import HERE, Revision, prepared
from loadtest.schedule import Plan
from loadtest.server import calls_per_s
from loadtest.stage import Stage, stage

RATES = (1_000, 3_000)
ROUNDS = 3
SEARCH_S = 240.0
"""How long a build's highest rate is looked for."""
FIRST_BET_S = 15.0
"""About how long the start of an empty house takes, with its first bet and its stop."""
IS_OURS, IS_THEIRS = "this build", "the other"


@dataclass(slots=True)
class Turns:
    """The turns of both builds so far, and the rate beyond what the other one carries, once that was looked for."""

    trial: Trial
    builds: Mapping[str, Revision]
    rates: Sequence[int]
    edge: int | None = None
    taken: dict[str, list[Found]] = field(default_factory=lambda: {IS_OURS: [], IS_THEIRS: []})

    def take(self, rounds: int, *, searches: bool) -> None:
        """Measure both builds so many times; `searches`: also the highest rate of each, in the first round."""
        for number in range(rounds):
            # Who comes first is changed about, so that a machine that slows down hurts neither.
            for name in sorted(self.builds, reverse=number % 2 == 1):
                self.trial.display.say(f"round {number + 1} of {rounds}: {name}")
                self.taken[name].append(self._turn(name, number, searches=searches and not number))

    def _turn(self, name: str, number: int, *, searches: bool) -> Found:
        build, trial, run = self.builds[name], self.trial, Run(self.trial)
        with trial.display.step("starting for one bet", FIRST_BET_S):
            first_bet = first_bet_s(trial.folder / f"{name} {number} first".replace(" ", "-"), build)
        with stage(trial, f"{name} {number}".replace(" ", "-"), revision=build) as on:
            found = [run.rate(on, Plan(rate, *FIXED)) for rate in self.rates]
            highest = None
            if searches:
                known = known_of([*found, *run.search(on, found, trial.display.elapsed_s() + SEARCH_S)])
                highest = highest_of(known)
                if name == IS_THEIRS:
                    self.edge = passed(known)
            if self.edge is not None and self.edge not in self.rates:
                found.append(run.rate(on, Plan(self.edge, *FIXED)))
            memory_mb = _memory_mb(on)
            empty_per_s = calls_per_s(on.port, on.running.settings.domain) if name == IS_OURS else None
            on.count_money()
        return {
            "rates": found,
            "highest": highest,
            "memory_mb": memory_mb,
            "first_bet_s": first_bet,
            "empty_per_s": empty_per_s,
        }


def measured(
    trial: Trial,
    revision: Annotated[str, "what to measure against"] = "",
    rates: Annotated[list[int] | None, f"bets a second; else {RATES}, and up to what each build carries"] = None,
    rounds: Annotated[int, "times that both are measured"] = ROUNDS,
) -> Found:
    """Measure this build and another in turns, and tell how they compare."""
    with trial.display.step(f"installing {revision}", 120):
        builds = {IS_OURS: HERE, IS_THEIRS: prepared(revision)}
    turns = Turns(trial, builds, rates or RATES)
    turns.take(rounds, searches=rates is None)
    empty = yardsticks.yardstick([turn["empty_per_s"] for turn in turns.taken[IS_OURS]])
    return {
        "revision": builds[IS_THEIRS].name,
        "edge": turns.edge,
        "turns": turns.taken,
        "compared": compared(turns.taken[IS_OURS], turns.taken[IS_THEIRS]),
        "yardsticks": {"empty_function": empty} | yardsticks.of_postgres(trial),
        "seconds": round(trial.display.elapsed_s(), 1),
    }


def passed(known: Mapping[int, bool]) -> int:
    """Return the lowest rate that was too much for a build, above all that it carried."""
    highest = highest_of(known)
    return min((rate for rate, carried in known.items() if not carried and rate > highest), default=highest + STEP)


def _memory_mb(on: Stage) -> float:
    """Return what the server's processes have for themselves: what they share would be counted for each."""
    return sum(one.own_mb for name, one in on.usage().items() if name not in NOT_SERVER)


def compared(ours: Sequence[Found], theirs: Sequence[Found]) -> list[Found]:
    """Tell each figure of both as the medians of their turns, their ratio, and the ratios of the single rounds."""
    found = []
    for place, rate in enumerate(one["rate"] for one in ours[0]["rates"]):
        at = f"at {rate:,} bets/s"
        names = {name for turn in (*ours, *theirs) for name in turn["rates"][place]["cpu_us_per_bet"]}
        found += [
            _held(f"{name} us a bet {at}", ours, theirs, _of_rate(place, partial(_cost, name)))
            for name in ("api", "writer", "nginx", "redis", "settler", "generator")
            if name in names
        ]
        found.append(_held(f"server us a bet {at}", ours, theirs, _of_rate(place, server_us)))
        found += [
            _held(f"{label} {at}", ours, theirs, _of_rate(place, itemgetter(key)))
            for label, key in (("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"), ("committed/s", "committed_per_s"))
        ]
    found.append(_held("own memory MB", ours, theirs, itemgetter("memory_mb")))
    found.append(_held("s from start to first bet", ours, theirs, itemgetter("first_bet_s")))
    if ours[0]["highest"] is not None:
        found.append(_held("highest rate, bets/s", ours[:1], theirs[:1], itemgetter("highest")))
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
    """No bet of ours may fail at a rate at which none of the other build's does."""
    turns = found["turns"]
    theirs = {rate["rate"] for turn in turns[IS_THEIRS] for rate in turn["rates"] if rate["errors"]}
    for turn in turns[IS_OURS]:
        for rate in turn["rates"]:
            if rate["errors"] and rate["rate"] not in theirs:
                yield f"errors at {rate['rate']:,} bets/s: {rate['errors']}"


MEASUREMENT = Measurement(
    "against",
    measured,
    complaints,
    # Only a whole run looks for the highest rate.
    renews=lambda found: found["options"]["rates"] is None,
    nginx="wanted",
)
