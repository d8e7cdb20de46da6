"""One run of the bench, from the first process started to the last cent counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.bench import machine, one_column, search, writer_alone
from loadtest.bench.display import Display
from loadtest.bench.results import Bench, Rate, Yardstick, yardstick
from loadtest.bench.schedule import Plan
from loadtest.bench.stage import Stage, stage
from loadtest.bench.yardsticks import alone, empty_function

FIXED = (25.0, 25.0)
"""Lead-in and measured seconds of a fixed rate: the bets of the lead-in settle within the measured time."""
SEARCH = (15.0, 20.0)
"""Of a rate in a search, which follows another: the bets of that one are still settling."""
SEARCH_UNTIL_S = 520.0
SEARCH_UNSIGNED_UNTIL_S = 680.0
"""A search ends then, found or not: the whole bench takes 20 minutes at most."""
COUNT_S = 30
CALLS_S = 6
WRITER_ALONE_S = 10
ONE_COLUMN_S = 15
ALONE: dict[str, tuple[Callable[[Path], float], int]] = {
    "plain_rq_job": (alone.plain_rq_job, 6),
    "transaction_per_bet": (alone.transaction_per_bet, 6),
    "bare_sql": (alone.bare_sql, 8),
    "bare_sql_full": (alone.bare_sql_full, 8),
}
"""Yardsticks without a system, and about how many seconds one measurement takes."""


@dataclass(slots=True)
class Run:
    """What a run has found so far, and where its files are meanwhile."""

    folder: Path
    display: Display
    nginx: str | None
    bench: Bench = field(default_factory=Bench)

    def some_rates(self, rates: Sequence[int]) -> Bench:
        """Measure these rates and nothing else."""
        with stage(self.folder, self.nginx, self.display, signed=True) as on:
            self._fixed_rates(on, rates)
            self._count(on)
        self.bench.highest_rate = search.highest_of(_known(self.bench.rates))
        self.bench.cpu_us_per_bet = search.at_rate(self.bench.rates, self.bench.highest_rate).cpu_us_per_bet
        return self.bench

    def whole(self, rates: Sequence[int]) -> Bench:
        """Measure these rates, search for the highest with and without signatures, and measure the yardsticks."""
        bench = self.bench
        with stage(self.folder, self.nginx, self.display, signed=True) as on:
            self._fixed_rates(on, rates)
            bench.searched = self._search(on, bench.rates, SEARCH_UNTIL_S)
            bench.highest_rate = search.highest_of(_known([*bench.rates, *bench.searched]))
            bench.highest = [rate for rate in bench.searched if rate.rate == bench.highest_rate]
            bench.cpu_us_per_bet = search.at_rate([*bench.rates, *bench.searched], bench.highest_rate).cpu_us_per_bet
            self._calls(on)
            self._count(on)
        with stage(self.folder, self.nginx, self.display, signed=False) as on:
            bench.unsigned = self._search(on, [], SEARCH_UNSIGNED_UNTIL_S)
            bench.highest_rate_unsigned = search.highest_of(_known(bench.unsigned))
            self._count(on)
        self._alone()
        bench.ratios = {name: round(bench.highest_rate / found.per_s, 3) for name, found in bench.yardsticks.items()}
        return bench

    def _fixed_rates(self, on: Stage, rates: Sequence[int]) -> None:
        self.bench.machine = machine.describe(self.nginx, on.vitals.sqlite_version())
        self.bench.rates = [self._rate(on, Plan(rate, *FIXED)) for rate in rates]

    def _search(self, on: Stage, measured: Sequence[Rate], until_s: float) -> list[Rate]:
        """Look for the highest carried rate; it is believed once the median of three repeats carries it."""
        found: list[Rate] = []
        start = max(self.bench.highest_rate, search.CLIMB)
        while self.display.elapsed_s() < until_s:
            known = _known([*measured, *found])
            rate = search.next_rate(known, start)
            if rate is None:
                rate = search.highest_of(known)
                if sum(each.rate == rate for each in found) >= search.REPEATS or not rate:
                    return found
            found.append(self._rate(on, Plan(rate, *(SEARCH if measured or found else FIXED))))
        self.bench.remarks.append(
            f"A search was cut short after {until_s:.0f} s: its highest rate is what it had found."
        )
        return found

    def _rate(self, on: Stage, plan: Plan) -> Rate:
        with self.display.step(f"{plan.rate:,} bets/s", plan.lead_s + plan.measure_s) as show:
            rate = on.meter.measure(plan, show)
        verdict = "carried" if rate.is_carried else "not carried"
        self.display.say(f"{plan.rate:,}/s: p99 {rate.p99_ms:,.1f} ms, {verdict} {rate.errors or ''}")
        return rate

    def _count(self, on: Stage) -> None:
        with self.display.step("settling and counting the money", COUNT_S):
            audit = on.count_money()
        self.display.say(audit.summary)
        self.bench.audits.append(audit)

    def _calls(self, on: Stage) -> None:
        domain = on.running.domain
        with self.display.step("an empty function", 2 * search.REPEATS * CALLS_S) as show:
            ours = []
            for _ in range(search.REPEATS):
                ours.append(empty_function.calls_per_s(on.port, domain))
                show(f"{ours[-1]:,.0f}/s")
            with empty_function.gevent_worker(on.running, self.nginx, self.folder / "gevent") as port:
                theirs = [empty_function.calls_per_s(port, domain) for _ in range(search.REPEATS)]
        self.bench.yardsticks["empty_function"] = yardstick(ours)
        self.bench.yardsticks["gunicorn_gevent_function"] = yardstick(theirs)

    def _alone(self) -> None:
        bench = self.bench
        for name, (measure, seconds) in ALONE.items():
            bench.yardsticks[name] = self._three(name, measure, seconds)
        bench.writer_alone = self._three("writer_alone", writer_alone.bets_per_s, WRITER_ALONE_S)
        bench.writer_of_bare_sql = {
            name: round(bench.writer_alone.per_s / bench.yardsticks[name].per_s, 3)
            for name in ("bare_sql", "bare_sql_full")
        }

        with self.display.step("one column", search.REPEATS * ONE_COLUMN_S) as show:
            for repeat in range(search.REPEATS):
                folder = self.folder / f"one-column-{repeat}"
                folder.mkdir()
                bench.one_column.append(one_column.settle_one(folder))
                show(f"{bench.one_column[-1].settled_ms} ms")
        bench.one_column.sort(key=lambda run: run.settled_ms)

    def _three(self, name: str, measure: Callable[[Path], float], seconds: int) -> Yardstick:
        runs: list[float] = []
        with self.display.step(name.replace("_", " "), search.REPEATS * seconds) as show:
            for repeat in range(search.REPEATS):
                folder = self.folder / f"{name}-{repeat}"
                folder.mkdir()
                runs.append(measure(folder))
                show(f"{runs[-1]:,.0f}/s")
        return yardstick(runs)


def _known(rates: Sequence[Rate]) -> dict[int, bool]:
    """Say of each rate whether it is carried; of several measurements of one the median counts."""
    by_rate: dict[int, list[Rate]] = {}
    for rate in rates:
        by_rate.setdefault(rate.rate, []).append(rate)
    return {rate: search.middle_of(repeats).is_carried for rate, repeats in by_rate.items()}
