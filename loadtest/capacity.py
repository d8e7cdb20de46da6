"""`make bench`: the real system at fixed rates, its highest rate, the yardsticks, and the money counted at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from jobs.writer.inbox import BETS_SLICE
from loadtest import yardsticks
from loadtest.measurement import Found, Measurement, Trial
from loadtest.schedule import Plan
from loadtest.stage import P99_MS_MAX, PLAYERS, Stage, is_carried, measure, stage

RATES = (500, 1_000, 2_000, 3_000, 4_000)
FIXED = (25.0, 25.0)
"""Warm-up and measured seconds of a fixed rate: the bets of the warm-up settle within the measured time."""
SEARCH = (15.0, 20.0)
"""Of a rate in a search, which follows another: the bets of that one are still settling."""
SEARCH_UNTIL_S = 520.0
SEARCH_UNSIGNED_UNTIL_S = 680.0
"""A search ends then, found or not: the whole bench takes 20 minutes at most."""
CLIMB = 500
"""How far to go up while nothing has failed yet, bets a second."""
STEP = 100
"""How exactly the highest rate is found."""
REPEATS = 3
PLAYERS_FOR_BET = 2
"""Players who are needed for each bet a second in gestures: a player taps a cell once, and some ten are new every
five seconds."""
NOT_SERVER = ("generator",)


@dataclass(slots=True)
class Run:
    """What a run has found so far."""

    trial: Trial
    found: Found = field(
        default_factory=lambda: (
            {"highest_rate": 0, "highest_rate_unsigned": None, "writer_alone": None}
            | {name: [] for name in ("rates", "highest", "searched", "unsigned", "one_column", "remarks")}
            | {name: {} for name in ("ratios", "yardsticks", "cpu_us_per_bet", "writer_of_bare_sql")}
        )
    )

    def measure(self, rates: Sequence[int], *, whole: bool) -> None:
        """Measure these rates; in a whole run also the highest, without signatures too, and the yardsticks."""
        found, functions = self.found, {}
        with stage(self.trial) as on:
            found["rates"] = [self.rate(on, Plan(rate, *FIXED)) for rate in rates]
            if whole:
                found["searched"] = self.search(on, found["rates"], SEARCH_UNTIL_S)
                functions = yardsticks.of_functions(on)
            found |= highest(found["rates"], found["searched"])
            on.count_money()
        if not whole:
            return
        with stage(self.trial, "unsigned", signed=False) as on:
            found["unsigned"] = self.search(on, [], SEARCH_UNSIGNED_UNTIL_S)
            found["highest_rate_unsigned"] = highest_of(known_of(found["unsigned"]))
            on.count_money()
        others = yardsticks.of_postgres(self.trial) | yardsticks.alone(self.trial)
        found |= yardsticks.held_against(found["highest_rate"], functions | others)
        found["one_column"] = yardsticks.columns(self.trial)

    def search(self, on: Stage, measured: Sequence[Found], until_s: float) -> list[Found]:
        """Look for the highest carried rate; it is believed once the median of three repeats carries it."""
        found: list[Found] = []
        start = max(self.found["highest_rate"], CLIMB)
        while self.trial.display.elapsed_s() < until_s:
            known = known_of([*measured, *found])
            rate = next_rate(known, start)
            if rate is None:
                rate = highest_of(known)
                if sum(each["rate"] == rate for each in found) >= REPEATS or not rate:
                    return found
            found.append(self.rate(on, Plan(rate, *(SEARCH if measured or found else FIXED))))
        remark = f"A search was cut short after {until_s:.0f} s: its highest rate is what it had found."
        self.found["remarks"].append(remark)
        return found

    def measure_gestures(self, rates: Sequence[int], size: int) -> None:
        """Measure rates in gestures of a size, and in single bets up to the first that they are not carried at.

        Where both are carried, tell what a bet costs of the other.
        """
        found = self.found
        with stage(self.trial) as on:
            for rate in sorted(rates):
                found["rates"].append(self.rate(on, Plan(rate, *FIXED)))
                if not is_carried(found["rates"][-1]):
                    break
            on.count_money()
        with stage(self.trial, "gestures", size=size, players=max(PLAYERS, PLAYERS_FOR_BET * max(rates))) as on:
            found["gestures"] = [self.rate(on, Plan(rate // size, *FIXED)) for rate in sorted(rates)]
            on.count_money()
        found["gesture_size"], found["gesture_of_single"] = size, []
        for rate, one, many in zip(sorted(rates), found["rates"], found["gestures"], strict=False):
            if is_carried(one) and is_carried(many):
                ratio = round(server_us(many) / server_us(one), 3)
                found["gesture_of_single"].append(ratio)
                self.trial.display.say(
                    f"{rate:,}/s: a bet takes the server {server_us(one):.0f} us alone,"
                    f" {server_us(many):.0f} in gestures of {size}: {ratio}"
                )

    def rate(self, on: Stage, plan: Plan) -> Found:
        """Measure one rate, and say whether it was carried."""
        bets = plan.rate * on.size
        with self.trial.display.step(f"{bets:,} bets/s", plan.warm_up_s + plan.measure_s) as show:
            rate = measure(on, plan, show)
        verdict = "carried" if is_carried(rate) else "not carried"
        self.trial.display.say(f"{bets:,}/s: p99 {rate['p99_ms']:,.1f} ms, {verdict} {rate['errors'] or ''}")
        return rate


def server_us(rate: Found) -> float:
    """Return the CPU that a bet took of all processes of the server, in microseconds."""
    return float(sum(spent for name, spent in rate["cpu_us_per_bet"].items() if name not in NOT_SERVER))


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


def known_of(rates: Sequence[Found]) -> dict[int, bool]:
    """Say of each rate whether it is carried; of several measurements of one the median counts."""
    return {rate["rate"]: is_carried(at_rate(rates, rate["rate"])) for rate in rates}


def middle_of(repeats: Sequence[Found]) -> Found:
    """Return the repeat with the median p99; one that is not carried counts as slower than any that is."""
    ordered = sorted(repeats, key=lambda rate: (not is_carried(rate), rate["p99_ms"]))
    return ordered[len(ordered) // 2]


def at_rate(measured: Sequence[Found], rate: int) -> Found:
    """Return the measurement of a rate, of several the median; the first of all if that rate is not among them."""
    return middle_of([one for one in measured if one["rate"] == rate] or measured[:1])


def highest(fixed: Sequence[Found], searched: Sequence[Found]) -> Found:
    """Tell the highest of all carried rates, its repeats, and what a bet costs at it by process."""
    measured = [*fixed, *searched]
    rate = highest_of(known_of(measured))
    return {
        "highest_rate": rate,
        "highest": [one for one in searched if one["rate"] == rate],
        "cpu_us_per_bet": at_rate(measured, rate)["cpu_us_per_bet"],
    }


def measured(
    trial: Trial,
    rates: Annotated[list[int] | None, "measure only these: no search, no yardsticks"] = None,
    gesture: Annotated[int, "also measure these rates in gestures of so many bets"] = 1,
) -> Found:
    """Send signed bets at fixed rates through the real system, and measure what they are held against."""
    run = Run(trial)
    if gesture > 1:
        run.measure_gestures(rates or RATES, gesture)
    else:
        run.measure(rates or RATES, whole=not rates)
    aims = {"p99_ms_max": P99_MS_MAX, "bets_slice": BETS_SLICE}
    return run.found | aims | {"seconds": round(trial.display.elapsed_s(), 1)}


MEASUREMENT = Measurement(
    "bench",
    measured,
    # Only a whole run does, which ends with the writer alone.
    renews=lambda found: found["writer_alone"] is not None,
    sections=("bench: whole path", "bench: search", "bench: yardsticks"),
    nginx="wanted",
)
