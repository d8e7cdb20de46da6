"""The stage: the system, nginx and a generator whose players have signed in, and one rate of bets measured on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event

from msgspec import Struct

from loadtest.bench import machine
from loadtest.bench.generator import PLAYERS, SIGN_INS_PER_S, Generator, Progress, generator
from loadtest.bench.machine import MB
from loadtest.bench.processes import BenchFailed, free_ports
from loadtest.bench.schedule import Figures, Plan
from loadtest.bench.system import System, nginx, system
from loadtest.bench.vitals import Commits, Vitals
from loadtest.display import Show
from loadtest.measurement import Trial

CONNECTIONS = 400
"""Enough for 3,000 a second as long as answers take less than 133 ms. Past that the generator waits itself, and the
waiting counts as latency; what the system does with more at once, `make spike` shows."""
START_S = 20 + PLAYERS / SIGN_INS_PER_S
COUNT_S = 30
SETTLE_S_MAX = 90
P99_MS_MAX = 100.0
SHARE_LEAST = 0.99
"""A rate is carried only if this share of it is committed within the measured time."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running system, the port that players know, and what loads and watches it."""

    trial: Trial
    running: System
    port: int
    generator: Generator
    roots: Mapping[str, int]
    """Whose CPU counts under which name."""
    vitals: Vitals

    def count_money(self) -> None:
        """Wait until every bet is settled, then let the audit recount it all."""
        pause = Event()
        with self.trial.display.step("settling and counting the money", COUNT_S):
            for _ in range(SETTLE_S_MAX):
                if not self.vitals.bets_are_open():
                    audit = self.running.audit()
                    break
                pause.wait(1)
            else:
                raise BenchFailed(f"bets are still open {SETTLE_S_MAX} s after the last")
        self.trial.display.say(audit.summary)
        self.trial.audits.append(audit)


@contextmanager
def stage(
    trial: Trial,
    name: str = "signed",
    *,
    signed: bool = True,
    connections: int = CONNECTIONS,
    overrides: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """Build the stage for the length of the block, with some settings; everything is stopped at its end."""
    with ExitStack() as stack:
        with trial.display.step(f"starting ({'' if signed else 'un'}signed bets)", START_S) as show:
            signatures = {} if signed else {"TAPTRADE_BET_SIGNATURES": "off"}
            running = stack.enter_context(system(trial.folder / name, {**signatures, **(overrides or {})}))
            settings, port, roots = running.settings, running.settings.port, {"supervisor": running.pid}
            if trial.nginx is not None:
                (port,) = free_ports(1)
                folder = trial.folder / f"{name}-nginx"
                roots["nginx"] = stack.enter_context(nginx(trial.nginx, folder, port, settings.port))
            vitals = Vitals(running)
            stack.callback(vitals.close)
            show("players sign in")
            sender = stack.enter_context(generator(port, settings, connections, signed=signed))
        trial.machine = trial.machine or machine.describe(trial.nginx, vitals.sqlite_version())
        yield Stage(trial, running, port, sender, {**roots, "generator": sender.pid}, vitals)


class Rate(Struct, kw_only=True):
    """One rate of bets, measured from outside; `cpu_us_per_bet` is by process."""

    rate: int
    committed_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    errors: dict[str, int]
    late_p99_ms: float
    """How late requests left; above a few milliseconds connections were missing, or the generator had no CPU."""
    commits_per_s: float
    """Of any kind: bets, settlement, accounts."""
    bets_per_commit: float
    settled_per_s: float
    cpu_us_per_bet: dict[str, float]
    machine_busy: float
    """Share of all CPUs' time that was not idle."""
    redis_mb: float
    wal_mb: float

    @property
    def is_carried(self) -> bool:
        """Tell whether the system kept up with this rate, in time and without an error."""
        return self.p99_ms < P99_MS_MAX and not self.errors and self.committed_per_s >= SHARE_LEAST * self.rate


@dataclass(frozen=True, slots=True)
class Look:
    """The system's counters at one moment."""

    at_s: float
    cpu_s: dict[str, float]
    busy_s: float
    idle_s: float
    commit: int


def _look(on: Stage) -> Look:
    cpu_s, (busy_s, idle_s) = machine.cpu_seconds(on.roots), machine.machine_seconds()
    return Look(time.monotonic(), cpu_s, busy_s, idle_s, on.vitals.newest_commit())


def measure(on: Stage, plan: Plan, show: Show) -> Rate:
    """Follow one plan; return its figures."""
    redis_bytes, wal_bytes = [on.vitals.redis_bytes()], [on.vitals.wal_bytes()]

    def watch(progress: Progress) -> None:
        redis_bytes.append(on.vitals.redis_bytes())
        wal_bytes.append(on.vitals.wal_bytes())
        show(f"{progress.good:,} committed, {progress.errors:,} errors")

    on.generator.start(plan)
    start_s = time.monotonic()
    on.generator.listen(start_s + plan.warm_up_s, watch)
    first = _look(on)
    figures = on.generator.listen(start_s + plan.warm_up_s + plan.measure_s, watch)
    last = _look(on)
    figures = figures or on.generator.figures(watch)
    commits = on.vitals.between(first.commit, last.commit)
    return rate_of(plan, figures, first, last, commits, max(redis_bytes), max(wal_bytes))


def rate_of(
    plan: Plan, figures: Figures, first: Look, last: Look, commits: Commits, redis_bytes: int, wal_bytes: int
) -> Rate:
    """Put one rate's figures together."""
    seconds = last.at_s - first.at_s
    bets = max(figures.good_in_window, 1)
    busy_s, idle_s = last.busy_s - first.busy_s, last.idle_s - first.idle_s
    spent = {name: round((cpu_s - first.cpu_s.get(name, 0.0)) / bets * 1e6, 1) for name, cpu_s in last.cpu_s.items()}
    return Rate(
        rate=plan.rate,
        committed_per_s=round(figures.good_in_window / plan.measure_s, 1),
        p50_ms=figures.latencies.percentile_ms(50),
        p95_ms=figures.latencies.percentile_ms(95),
        p99_ms=figures.latencies.percentile_ms(99),
        max_ms=figures.latencies.max_ms,
        errors=dict(figures.errors),
        late_p99_ms=figures.lateness.percentile_ms(99),
        commits_per_s=round(commits.commits / seconds, 1),
        bets_per_commit=round(commits.bets / max(commits.with_bets, 1), 1),
        settled_per_s=round(commits.settled / seconds, 1),
        cpu_us_per_bet=dict(sorted(spent.items(), key=lambda item: -item[1])),
        machine_busy=round(busy_s / max(busy_s + idle_s, 0.01), 3),
        redis_mb=round(redis_bytes / MB, 1),
        wal_mb=round(wal_bytes / MB, 1),
    )
