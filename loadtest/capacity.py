"""`make bench`: the real system at fixed rates, its highest rate, the yardsticks, and the money counted at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import msgspec

from jobs.writer.inbox import BETS_SLICE
from loadtest.bench.schedule import Plan
from loadtest.bench.stage import P99_MS_MAX, Rate, Stage, measure, stage
from loadtest.measurement import Findings, Measurement, Trial
from loadtest.yardsticks import run as yardsticks
from loadtest.yardsticks.one_column import OneColumn
from loadtest.yardsticks.run import Yardstick

RATES = (500, 1_000, 2_000, 3_000, 4_000)
FIXED = (25.0, 25.0)
"""Warm-up and measured seconds of a fixed rate: the bets of the warm-up settle within the measured time."""
SEARCH = (15.0, 20.0)
"""Of a rate in a search, which follows another: the bets of that one are still settling."""
SEARCH_UNTIL_S = 520.0
SEARCH_UNSIGNED_UNTIL_S = 680.0
"""A search ends then, found or not: the whole bench takes 20 minutes at most."""
PROCESSES_SHOWN_LEAST_US = 1.0
CLIMB = 500
"""How far to go up while nothing has failed yet, bets a second."""
STEP = 100
"""How exactly the highest rate is found."""
REPEATS = 3


class Capacity(Findings, kw_only=True):
    """The whole run. A ratio is the highest rate divided by the yardstick of its name."""

    P99_MS_MAX: ClassVar = P99_MS_MAX
    BETS_SLICE: ClassVar = BETS_SLICE
    rates: list[Rate] = msgspec.field(default_factory=list)
    highest_rate: int = 0
    highest_rate_unsigned: int | None = None
    ratios: dict[str, float] = msgspec.field(default_factory=dict)
    yardsticks: dict[str, Yardstick] = msgspec.field(default_factory=dict)
    cpu_us_per_bet: dict[str, float] = msgspec.field(default_factory=dict)
    """By process, at the highest rate."""
    writer_alone: Yardstick | None = None
    """Bets a second of the real writer when full jobs wait for it and nothing else runs."""
    writer_of_bare_sql: dict[str, float] = msgspec.field(default_factory=dict)
    """The same as a share of each bare loop, by the yardstick's name."""
    one_column: list[OneColumn] = msgspec.field(default_factory=list)
    """Three runs, the fastest first."""
    highest: list[Rate] = msgspec.field(default_factory=list)
    """The repeats at the highest rate."""
    searched: list[Rate] = msgspec.field(default_factory=list)
    unsigned: list[Rate] = msgspec.field(default_factory=list)
    remarks: list[str] = msgspec.field(default_factory=list)
    seconds: float = 0.0

    @property
    def renews(self) -> bool:
        """Only a whole run does, which ends with the writer alone."""
        return self.writer_alone is not None

    @property
    def sections(self) -> tuple[str, ...]:
        """The yardsticks are there after a whole run."""
        return ("bench: whole path", "bench: yardsticks") if self.renews else ("bench: whole path",)

    def take_highest(self) -> None:
        """Tell the highest of all carried rates, and what a bet costs at it."""
        measured = [*self.rates, *self.searched]
        self.highest_rate = highest_of(known_of(measured))
        self.highest = [rate for rate in self.searched if rate.rate == self.highest_rate]
        self.cpu_us_per_bet = at_rate(measured, self.highest_rate).cpu_us_per_bet

    @staticmethod
    def dearest(rates: Sequence[Rate]) -> list[str]:
        """Return the processes whose CPU a bet takes at these rates, the dearest first."""
        most: dict[str, float] = {}
        for rate in rates:
            for name, spent_us in rate.cpu_us_per_bet.items():
                most[name] = max(spent_us, most.get(name, 0.0))
        ordered = sorted(most, key=lambda name: -most[name])
        return [name for name in ordered if most[name] >= PROCESSES_SHOWN_LEAST_US]


@dataclass(slots=True)
class Run:
    """What a run has found so far."""

    trial: Trial
    found: Capacity = field(default_factory=Capacity)

    def some_rates(self, rates: Sequence[int]) -> Capacity:
        """Measure these rates and nothing else."""
        with stage(self.trial) as on:
            self._fixed_rates(on, rates)
            on.count_money()
        self.found.take_highest()
        return self.found

    def whole(self, rates: Sequence[int]) -> Capacity:
        """Measure these rates, search for the highest with and without signatures, and measure the yardsticks."""
        found = self.found
        with stage(self.trial) as on:
            self._fixed_rates(on, rates)
            found.searched = self._search(on, found.rates, SEARCH_UNTIL_S)
            found.take_highest()
            found.yardsticks = yardsticks.of_functions(on)
            on.count_money()
        with stage(self.trial, "unsigned", signed=False) as on:
            found.unsigned = self._search(on, [], SEARCH_UNSIGNED_UNTIL_S)
            found.highest_rate_unsigned = highest_of(known_of(found.unsigned))
            on.count_money()
        found.yardsticks |= yardsticks.alone(self.trial)
        writer = found.writer_alone = found.yardsticks.pop("writer_alone")
        shares = {name: round(writer.per_s / found.yardsticks[name].per_s, 3) for name in ("bare_sql", "bare_sql_full")}
        found.writer_of_bare_sql = shares
        found.one_column = yardsticks.columns(self.trial)
        found.ratios = {name: round(found.highest_rate / one.per_s, 3) for name, one in found.yardsticks.items()}
        return found

    def _fixed_rates(self, on: Stage, rates: Sequence[int]) -> None:
        self.found.rates = [self._rate(on, Plan(rate, *FIXED)) for rate in rates]

    def _search(self, on: Stage, measured: Sequence[Rate], until_s: float) -> list[Rate]:
        """Look for the highest carried rate; it is believed once the median of three repeats carries it."""
        found: list[Rate] = []
        start = max(self.found.highest_rate, CLIMB)
        while self.trial.display.elapsed_s() < until_s:
            known = known_of([*measured, *found])
            rate = next_rate(known, start)
            if rate is None:
                rate = highest_of(known)
                if sum(each.rate == rate for each in found) >= REPEATS or not rate:
                    return found
            found.append(self._rate(on, Plan(rate, *(SEARCH if measured or found else FIXED))))
        self.found.remarks.append(
            f"A search was cut short after {until_s:.0f} s: its highest rate is what it had found."
        )
        return found

    def _rate(self, on: Stage, plan: Plan) -> Rate:
        with self.trial.display.step(f"{plan.rate:,} bets/s", plan.warm_up_s + plan.measure_s) as show:
            rate = measure(on, plan, show)
        verdict = "carried" if rate.is_carried else "not carried"
        self.trial.display.say(f"{plan.rate:,}/s: p99 {rate.p99_ms:,.1f} ms, {verdict} {rate.errors or ''}")
        return rate


def next_rate(known: Mapping[int, bool], start: int) -> int | None:
    """Return the rate to measure next, None once the highest carried one is known to the STEP.

    `known` says of each measured rate whether it was carried. A rate that fails below one that is carried was bad
    luck of the moment, not a limit.
    """
    highest = highest_of(known)
    failed = min((rate for rate, carried in known.items() if not carried and rate > highest), default=None)
    if failed is None:
        return highest + CLIMB if highest else start
    if failed - highest <= STEP:
        return None
    middle = (highest + failed) // 2 // STEP * STEP
    return middle if middle > highest else highest + STEP


def highest_of(known: Mapping[int, bool]) -> int:
    """Return the highest carried rate, 0 if there is none."""
    return max((rate for rate, carried in known.items() if carried), default=0)


def known_of(rates: Sequence[Rate]) -> dict[int, bool]:
    """Say of each rate whether it is carried; of several measurements of one the median counts."""
    return {rate.rate: at_rate(rates, rate.rate).is_carried for rate in rates}


def middle_of(repeats: Sequence[Rate]) -> Rate:
    """Return the repeat with the median p99; one that is not carried counts as slower than any that is."""
    ordered = sorted(repeats, key=lambda rate: (not rate.is_carried, rate.p99_ms))
    return ordered[len(ordered) // 2]


def at_rate(measured: Sequence[Rate], rate: int) -> Rate:
    """Return the measurement of a rate, of several the median; the first of all if that rate is not among them."""
    return middle_of([one for one in measured if one.rate == rate] or measured[:1])


def measured(
    trial: Trial, rates: Annotated[list[int] | None, "measure only these: no search, no yardsticks"] = None
) -> Capacity:
    """Audience signed bets at fixed rates through the real system, and measure what they are held against."""
    run = Run(trial)
    found = run.some_rates(rates) if rates else run.whole(RATES)
    found.seconds = round(trial.display.elapsed_s(), 1)
    return found


MEASUREMENT = Measurement("bench", measured, nginx="wanted")
