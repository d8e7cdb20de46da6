"""How the house's own count of its bets fares: `python -m loadtest.self_closing [FILE ...]`, recordings of prices.

It prints the tables of docs/self_closing.md: how often fair buckets are closed in a year, and when leaking ones are: on
walks with the returns that were measured once, and on recorded prices with the plain model, an hour at a time, each by
a house that knows nothing yet.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobs.feed.recording import SHIPPED, read_recording
from loadtest.tapped_market import RULES, House, play, ticks_of
from runtime.game.buckets import ANY_COLUMN, RATE_EDGES_BP, Bucket, rate_from_bp
from runtime.game.copier import OWN_LIMIT, Copier
from runtime.game.grid import Cell
from runtime.game.rewards import RATE_BP_MAX, BrownianTouch, RewardModel
from runtime.game.ticks import Features, Tick

RETURNED = dict(zip(RATE_EDGES_BP, (0.91, 0.72, 0.48, 0.52, 0.84, 1.59, 3.25), strict=False))
"""What the plain model returned on a recorded day, by the lower edge of the rates."""
FAIR = 0.95
VOLATILITY = 250.0
TICK_MS = 100
DAYS, WINDOWS_A_DAY = 365, 144
"""A year in which every day has some minutes of bets, one column after the other: 52,560 columns."""
DISTANCE = 6
STAKE_CENTS = 10_000
HOUR_MS = 3_600_000
OVERHANG_MS = 130_000
"""What an hour needs beside it: a minute of history before the first tap, and the last columns' ends."""
HISTORY_S = 60
HOUSE_EDGE_BP = 500
SHOWN_FROM = (200_000, 500_000)


class AsMeasured(BrownianTouch):
    """The plain model with every rate raised or lowered until its range returns what it did on the recorded day."""

    id = "as-measured"

    def rate_bp(self, cell: Cell, tick: Tick, now_ms: int) -> int | None:
        """Return the rate; each fair one goes to the highest range that it can reach."""
        fair_bp = super().rate_bp(cell, tick, now_ms)
        if fair_bp is None:
            return None
        rates = (int(fair_bp * returned / FAIR) for returned in reversed(RETURNED.values()))
        reached = zip(reversed(RETURNED), rates, strict=True)
        return next((rate for from_bp, rate in reached if rate <= RATE_BP_MAX and rate_from_bp(rate) == from_bp), None)


def walk(seed: int) -> list[Tick]:
    """Return an hour of a walk on which the plain model is fair."""
    randomness, price, start_ms = random.Random(seed), 9_200_000.0, 1_790_000_000_000
    found = []
    for ms in range(start_ms, start_ms + HOUR_MS + OVERHANG_MS, TICK_MS):
        price += randomness.gauss(0.0, VOLATILITY * math.sqrt(TICK_MS / 1000))
        cents = round(price)
        found.append(Tick(ms, ms, cents, cents, cents, "walk", Features(VOLATILITY, TICK_MS, 600_000)))
    return found


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.self_closing", description=__doc__)
    parser.add_argument("recordings", nargs="*", type=Path, default=[SHIPPED], metavar="FILE")
    parser.add_argument("--years", type=int, default=200, help="bucket-years for each row (%(default)s)")
    parser.add_argument("--walks", type=int, default=10, help="hours of a walk (%(default)s)")
    parser.add_argument("--rate", type=float, default=10.0, help="taps a second (%(default)s)")
    given = parser.parse_args(arguments)
    _print_fair(given.years)
    walks = [walk(seed) for seed in range(given.walks)]
    _print_leaks("walks, rates as measured", walks, AsMeasured(RULES, HOUSE_EDGE_BP), given.rate)
    for path in given.recordings:
        ticks, model = ticks_of(read_recording(path)), BrownianTouch(RULES, HOUSE_EDGE_BP)
        _print_leaks(path.name, list(_hours(ticks)), model, given.rate)
        _print_whole(ticks, model, given.rate)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _print_fair(years: int) -> None:
    _say("| a fair world, returning | bucket-years | ever at 10 | ever at 100 | refuted | the most of all |")
    _say("| --- | ---: | ---: | ---: | ---: | ---: |")
    for returned in (0.95, 1.0):
        most = [year_of(random.Random(seed), returned) for seed in range(years)]
        reached = (str(sum(one >= level for one in most)) for level in (10, 100, OWN_LIMIT))
        _say(f"| {returned:g} | {years:,} | {' | '.join(reached)} | {max(most):.3g} |")


def year_of(randomness: random.Random, returned: float) -> float:
    """Return the most that copying made of 1 in a year of bets on windows that share most of their moves.

    Many tap the same cell where open bets stand well, few elsewhere; every bet returns as much on average.
    """
    copier, most = Copier(), 0.0
    for day in range(DAYS):
        for window, bets in enumerate(_day_of(randomness, returned), start=day * 86_400 // RULES.column_seconds):
            copied = copier.opened()
            for stake_cents, paid_cents in bets:
                copied.add(stake_cents, paid_cents)
            part = copied.part(window + DISTANCE)
            copier.remember(copied.staked_cents)
            if part is not None:
                copier.wait(window, part)
                copier.copy_upto(window, RULES.column_seconds)
            most = max(most, copier.wealth)
    return most


def _day_of(randomness: random.Random, returned: float) -> Iterator[list[tuple[int, int]]]:
    moves = [randomness.gauss(0.0, 1.0) for _ in range(WINDOWS_A_DAY + DISTANCE)]
    barrier = randomness.choice((0.5, 1.0, 1.5, 2.0))
    chance = 0.5 * math.erfc(barrier / math.sqrt(2.0))
    paid_cents = int(returned * STAKE_CENTS / chance)
    for window in range(WINDOWS_A_DAY):
        hit = sum(moves[window : window + DISTANCE]) > barrier * math.sqrt(DISTANCE)
        stands_well = sum(moves[max(0, window - DISTANCE + 1) : window]) > 0.0
        yield [(STAKE_CENTS, paid_cents if hit else 0)] * (12 if stands_well else 1)


def _print_leaks(name: str, hours: Sequence[Sequence[Tick]], model: RewardModel, per_s: float) -> None:
    houses = []
    for seed, ticks in enumerate(hours):
        house = House(model)
        play(ticks, house, per_s, seed)
        houses.append((ticks[0].id // 1000 + HISTORY_S, house))
    _say(f"\n{name}: {len(hours)} hours, {per_s:g} taps a second\n")
    _say("| rates | returned | hours closed in | after, median | lost by then, median | lost in hours left open |")
    _say("| --- | ---: | ---: | ---: | ---: | ---: |")
    for from_bp in SHOWN_FROM:
        bucket = Bucket(model.id, model.version, from_bp, ANY_COLUMN)
        shut = [
            (house.closed_at_s[bucket] - began_s, house) for began_s, house in houses if bucket in house.closed_at_s
        ]
        left = [house for _, house in houses if bucket not in house.closed_at_s]
        known = [one for _, house in houses if (one := house.standings.known(bucket)) is not None]
        returned = sum(one.paid_cents for one in known) / max(1, sum(one.staked_cents for one in known))
        after = f"{statistics.median(seconds for seconds, _ in shut) / 60:.0f} min" if shut else ""
        lost = [
            _median_stakes([one.lost_cents.get(from_bp, 0) for one in group]) for group in ([h for _, h in shut], left)
        ]
        _say(f"| {bucket.name} | {returned:.2f} | {len(shut)} of {len(houses)} | {after} | {' | '.join(lost)} |")


def _print_whole(ticks: Sequence[Tick], model: RewardModel, per_s: float) -> None:
    """Say when the buckets close where one house plays a whole recording."""
    house = House(model)
    play(ticks, house, per_s, seed=0)
    _say("\nIn one piece:\n")
    for bucket, closed_s in sorted(house.closed_at_s.items(), key=lambda each: each[1]):
        after_h = (closed_s - ticks[0].id // 1000 - HISTORY_S) / 3_600
        _say(f"- {bucket.name} after {after_h:.1f} h")
    lost = {from_bp: cents for from_bp, cents in house.lost_cents.items() if from_bp in SHOWN_FROM}
    _say(
        "".join(
            f"- lost at {from_bp / 10_000:g}x and more: {_median_stakes([lost[from_bp]])}\n" for from_bp in sorted(lost)
        )
    )


def _median_stakes(cents: Sequence[int]) -> str:
    """Return a median loss in stakes, each tap being of a dollar."""
    return f"{statistics.median(cents) / 100:,.0f} stakes" if cents else ""


def _hours(ticks: Sequence[Tick]) -> Iterator[list[Tick]]:
    """Cut ticks into hours, each with what it needs beside it; hours with little in them are left out."""
    first_ms = ticks[0].id
    for hour in range(math.ceil((ticks[-1].id - first_ms) / HOUR_MS)):
        from_ms = first_ms + hour * HOUR_MS
        found = [tick for tick in ticks if from_ms <= tick.id < from_ms + HOUR_MS + OVERHANG_MS]
        if found and found[-1].id - found[0].id > HOUR_MS:
            yield found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
