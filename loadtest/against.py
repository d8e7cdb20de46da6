"""`make bench AGAINST=REV`: this build and another stand side by side, are loaded in turns, and told as ratios.

Machines differ, and one machine differs from minute to minute. What two builds do half a minute apart may be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from statistics import median
from typing import Annotated

from loadtest import yardsticks
from loadtest.capacity import NOT_SERVER, STEP, Run, highest_of, known_of, server_us
from loadtest.first_bet import first_bet_s
from loadtest.measurement import Found, Measurement, Trial
from loadtest.revision import HERE, Revision, prepared
from loadtest.schedule import Plan
from loadtest.server import calls_per_s
from loadtest.stage import Stage, stage

RATES = (1_000, 3_000)
ROUNDS = 6
TURN = (20.0, 15.0)
"""Warm-up and measured seconds of a turn. The warm-up is as long as a bet lives: by its end the other build's bets of
the turn before are settled, and the build's own settle at the rate at which they are placed."""
SEARCH_S = 240.0
"""How long a build's highest rate is looked for."""
STARTS = 3
"""Starts of each build's empty house."""
FIRST_BET_S = 15.0
"""About how long such a start takes, with its first bet and its stop."""
IS_OURS, IS_THEIRS = "this build", "the other"
Rounds = Sequence[Mapping[int, Found]]
"""What a build's turns found: by round, by rate."""


@dataclass(slots=True)
class Turns:
    """Both builds, each on a stage of its own; one of them at a time is loaded."""

    trial: Trial
    stages: Mapping[str, Stage]
    taken: dict[str, list[dict[int, Found]]]

    def take(self, rate: int) -> None:
        """Measure both builds at a rate, once for each round."""
        rounds = len(self.taken[IS_OURS])
        for number in range(rounds):
            # Who comes first is changed about, so that a machine that slows down hurts neither.
            for name in sorted(self.stages, reverse=number % 2 == 1):
                self.trial.display.say(f"round {number + 1} of {rounds}: {name}")
                self.taken[name][number][rate] = Run(self.trial).rate(self.stages[name], Plan(rate, *TURN))

    def searched(self, name: str) -> Mapping[int, bool]:
        """Look for the highest rate of a build; say of each rate whether it was carried."""
        measured = [one for turn in self.taken[name] for one in turn.values()]
        until_s = self.trial.display.elapsed_s() + SEARCH_S
        return known_of([*measured, *Run(self.trial).search(self.stages[name], measured, until_s)])


def measured(
    trial: Trial,
    revision: Annotated[str, "what to measure against"] = "",
    rates: Annotated[list[int] | None, f"bets a second; else {RATES}, and up to what each build carries"] = None,
    rounds: Annotated[int, "turns of each build at each rate"] = ROUNDS,
) -> Found:
    """Measure this build and another in turns, and tell how they compare."""
    with trial.display.step(f"installing {revision}", 120):
        builds = {IS_OURS: HERE, IS_THEIRS: prepared(revision)}
    houses = {name: {"first_bet_s": first_s} for name, first_s in _first_bets_s(trial, builds).items()}
    edge = None
    with ExitStack() as stack:
        stages = {name: stack.enter_context(stage(trial, _folder(name), revision=one)) for name, one in builds.items()}
        turns = Turns(trial, stages, {name: [{} for _ in range(rounds)] for name in stages})
        for rate in rates or RATES:
            turns.take(rate)
        if not rates:
            known = {name: turns.searched(name) for name in stages}
            edge = passed(known[IS_THEIRS])
            if edge not in RATES:
                turns.take(edge)
            for name in stages:
                houses[name]["highest"] = [highest_of(known[name])]
        ours = stages[IS_OURS]
        empty = [calls_per_s(ours.port, ours.running.settings.domain) for _ in range(yardsticks.REPEATS)]
        for name, on in stages.items():
            on.count_money()
            houses[name]["memory_mb"] = [_memory_mb(on)]
    return {
        "revision": builds[IS_THEIRS].name,
        "edge": edge,
        "turns": turns.taken,
        "houses": houses,
        "compared": [*of_turns(*turns.taken.values()), *of_houses(*houses.values())],
        "yardsticks": {"empty_function": yardsticks.yardstick(empty)} | yardsticks.of_postgres(trial),
        "seconds": round(trial.display.elapsed_s(), 1),
    }


def _folder(name: str) -> str:
    return name.replace(" ", "-")


def _first_bets_s(trial: Trial, builds: Mapping[str, Revision]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in builds}
    with trial.display.step("starting empty houses for one bet", len(builds) * STARTS * FIRST_BET_S):
        for number in range(STARTS):
            for name, build in builds.items():
                found[name].append(first_bet_s(trial.folder / f"{_folder(name)}-first-{number}", build))
    return found


def passed(known: Mapping[int, bool]) -> int:
    """Return the lowest rate that was too much for a build, above all that it carried."""
    highest = highest_of(known)
    return min((rate for rate, carried in known.items() if not carried and rate > highest), default=highest + STEP)


def _memory_mb(on: Stage) -> float:
    """Return what the server's processes have for themselves: what they share would be counted for each."""
    return sum(one.own_mb for name, one in on.usage().items() if name not in NOT_SERVER)


def of_turns(ours: Rounds, theirs: Rounds) -> list[Found]:
    """Tell what a bet took at each rate, and how long, of both builds."""
    found = []
    for rate in ours[0]:
        at = f"at {rate:,} bets/s"
        our, their = [turn[rate] for turn in ours], [turn[rate] for turn in theirs]
        figures: dict[str, Callable[[Found], float]] = {
            f"{name} us a bet": partial(_cost, name)
            for name in ("api", "writer", "nginx", "redis", "settler", "generator")
            if any(name in one["cpu_us_per_bet"] for one in (*our, *their))
        }
        figures |= {"server us a bet": server_us}
        figures |= {"p50 ms": itemgetter("p50_ms"), "p99 ms": itemgetter("p99_ms")}
        figures |= {"committed/s": itemgetter("committed_per_s")}
        found += [held(f"{what} {at}", [*map(of, our)], [*map(of, their)]) for what, of in figures.items()]
    return found


def of_houses(ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]) -> list[Found]:
    """Tell what was measured of each build as a whole."""
    labels = {
        "memory_mb": "own memory MB",
        "first_bet_s": "s from start to first bet",
        "highest": "highest rate, bets/s",
    }
    return [held(what, ours[name], theirs[name]) for name, what in labels.items() if name in ours]


def held(what: str, ours: Sequence[float], theirs: Sequence[float]) -> Found:
    """Tell a figure of both builds: their medians, the ratio of each pair, and the median of these.

    A pair is half a minute apart, so the machine's pace is nearly the same in both; in the medians it need not be.
    """
    ratios = sorted(our / their for our, their in zip(ours, theirs, strict=True) if their)
    return {
        "what": what,
        "ours": median(ours),
        "theirs": median(theirs),
        "ratio": median(ratios) if ratios else None,
        "ratios": ratios,
    }


def _cost(name: str, rate: Found) -> float:
    return float(rate["cpu_us_per_bet"].get(name, 0.0))


def complaints(found: Found) -> Iterator[str]:
    """No bet of ours may fail at a rate at which none of the other build's does."""
    turns = found["turns"]
    theirs = {one["rate"] for turn in turns[IS_THEIRS] for one in turn.values() if one["errors"]}
    for one in (one for turn in turns[IS_OURS] for one in turn.values()):
        if one["errors"] and one["rate"] not in theirs:
            yield f"errors at {one['rate']:,} bets/s: {one['errors']}"


MEASUREMENT = Measurement(
    "against",
    measured,
    complaints,
    # Only a whole run looks for the highest rate.
    renews=lambda found: found["options"]["rates"] is None,
    nginx="wanted",
)
