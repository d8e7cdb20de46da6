"""The stage: the system, nginx and a generator whose players have signed in, and one rate of bets measured on it.

The generator is a process of its own: it makes players, signs them in, and follows plans that come through a pipe.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Event

import httpx
import psutil

from loadtest import machine
from loadtest.gestures import Gestures
from loadtest.machine import Usage
from loadtest.measurement import Found, Show, Trial
from loadtest.open_loop import Errand, OpenLoop, head_of, request_of
from loadtest.processes import BenchFailed, Piped, free_port, piped
from loadtest.revision import HERE, Revision
from loadtest.schedule import Figures, Plan
from loadtest.system import NEWEST, OPEN, System, audit, nginx, system
from loadtest.traffic import Player, SignIns, Taps
from runtime.clock import SystemClock
from runtime.settings import Settings

PLAYERS = 6_000
SIGN_INS_PER_S = 250
GRID_EVERY_S = 0.25
SILENCE_S_MAX = 30.0
CONNECTIONS = 400
"""Enough for 3,000 a second as long as answers take less than 133 ms. Past that the generator waits itself, and the
waiting counts as latency; what the system does with more at once, `make spike` shows."""
START_S = 20 + PLAYERS / SIGN_INS_PER_S
COUNT_S = 30
SETTLE_S_MAX = 90
P99_MS_MAX = 100.0
SHARE_LEAST = 0.99
"""A rate is carried only if this share of it is committed within the measured time."""
OnProgress = Callable[[int, int], None]
"""Hears once a second how many wanted answers and how many errors there have been so far."""


class Generator:
    """Our end of the pipe."""

    def __init__(self, process: Piped) -> None:
        self._process = process
        self.pid = process.pid
        self.start: Callable[[Plan], None] = process.send
        """Let a plan begin at once."""

    def listen(self, until_s: float, on_progress: OnProgress) -> Figures | None:
        """Hear of the plan under way until then (by `time.monotonic`); its figures if it ends before."""
        while (left_s := until_s - time.monotonic()) > 0:
            message: tuple[int, int] | Figures | None = self._process.receive(left_s)
            if isinstance(message, Figures):
                return message
            if message is not None:
                on_progress(*message)
        return None

    def figures(self, on_progress: OnProgress = lambda *_: None) -> Figures:
        """Wait until the plan under way has ended."""
        while not isinstance(message := self._process.await_message(SILENCE_S_MAX), Figures):
            on_progress(*message)
        return message

    def follow(self, plan: Plan, on_progress: OnProgress = lambda *_: None) -> Figures:
        """Follow one plan from its start to its end."""
        self.start(plan)
        return self.figures(on_progress)


@contextmanager
def generator(
    port: int, settings: Settings, connections: int, *, signed: bool, size: int, players: int
) -> Iterator[Generator]:
    """Run a generator's process for the length of the block, once its players have signed in."""
    arguments = (port, settings.domain, settings.chain_id, connections, signed, size, players)
    with piped("the generator", serve, *arguments) as process:
        sender = Generator(process)
        if errors := sender.figures().errors:
            raise BenchFailed(f"players could not sign in: {dict(errors)}")
        yield sender


def serve(
    pipe: Connection, port: int, domain: str, chain_id: int, connections: int, signed: bool, size: int, count: int
) -> None:
    """Sign so many players in, then follow plans until the pipe closes. Runs in the generator's process.

    With a size above 1 they tap so many cells at once.
    """
    clock = SystemClock()
    players = [Player() for _ in range(count)]
    taps = (
        Taps(players, chain_id, clock, signed=signed)
        if size == 1
        else Gestures(players, chain_id, clock, signed=signed, size=size)
    )
    errand = Errand(request_of(head_of("GET", "/api/grid", domain)), GRID_EVERY_S, taps.see_grid)
    loop = OpenLoop(("127.0.0.1", port), connections, errand)

    def tell(figures: Figures) -> None:
        pipe.send((figures.good, figures.errors.total()))

    sign_ins = Plan(SIGN_INS_PER_S, 0.0, count / SIGN_INS_PER_S)
    pipe.send(loop.run(sign_ins, SignIns(players, domain, chain_id, clock), tell))
    # Nothing here makes cycles, and a pause of the collector would be taken for the server's.
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        plan: Plan = pipe.recv()
        grid = httpx.get(f"http://127.0.0.1:{port}/api/grid", timeout=5, trust_env=False)
        taps.see_grid(grid.status_code, grid.content)
        pipe.send(loop.run(plan, taps, tell))


@dataclass(frozen=True, slots=True)
class Stage:
    """A running system, the port that players know, and what loads and watches it."""

    trial: Trial
    running: System
    port: int
    generator: Generator
    roots: Mapping[str, int]
    """Whose CPU counts under which name."""
    size: int = 1
    """How many bets a request brings."""

    def usage(self) -> dict[str, Usage]:
        """Look at what everything uses."""
        return machine.usage(self.roots)

    def count_money(self) -> None:
        """Wait until every bet is settled, then let the audit recount it all."""
        pause = Event()
        with self.trial.display.step("settling and counting the money", COUNT_S):
            for _ in range(SETTLE_S_MAX):
                if not self.running.ask(OPEN):
                    counted = audit(self.running.environment, self.running.revision)
                    break
                pause.wait(1)
            else:
                raise BenchFailed(f"bets are still open {SETTLE_S_MAX} s after the last")
        self.trial.display.say(counted.summary)
        self.trial.audits.append(counted)


@contextmanager
def stage(
    trial: Trial,
    name: str = "signed",
    *,
    signed: bool = True,
    connections: int = CONNECTIONS,
    overrides: Mapping[str, str] | None = None,
    revision: Revision = HERE,
    size: int = 1,
    players: int = PLAYERS,
) -> Iterator[Stage]:
    """Build the stage for the length of the block, of this or another revision; everything is stopped at its end."""
    with ExitStack() as stack:
        with trial.display.step(f"starting ({'' if signed else 'un'}signed bets)", START_S) as show:
            signatures = {} if signed else {"TAPTRADE_BET_SIGNATURES": "off"}
            running = stack.enter_context(system(trial.folder / name, {**signatures, **(overrides or {})}, revision))
            settings, port, roots = running.settings, running.settings.port, {"supervisor": running.pid}
            if trial.nginx is not None:
                port = free_port()
                folder = trial.folder / f"{name}-nginx"
                roots["nginx"] = stack.enter_context(nginx(trial.nginx, folder, port, settings.port, revision))
            show("players sign in")
            sender = stack.enter_context(
                generator(port, settings, connections, signed=signed, size=size, players=players)
            )
        trial.machine = trial.machine or machine.describe(trial.nginx, running.ask("SELECT sqlite_version()"))
        yield Stage(trial, running, port, sender, {**roots, "generator": sender.pid}, size)


def is_carried(rate: Found) -> bool:
    """Tell whether the system kept up with a rate, in time and without an error."""
    return bool(
        rate["p99_ms"] < P99_MS_MAX and not rate["errors"] and rate["committed_per_s"] >= SHARE_LEAST * rate["rate"]
    )


def measure(on: Stage, plan: Plan, show: Show) -> Found:
    """Follow one plan of requests; return its figures, measured from outside; `cpu_us_per_bet` is by process."""
    stores = [on.running.stores_mb()]

    def watch(good: int, errors: int) -> None:
        stores.append(on.running.stores_mb())
        show(f"{good:,} committed, {errors:,} errors")

    def look() -> tuple[float, int, dict[str, Usage]]:
        return time.monotonic(), on.running.ask(NEWEST), on.usage()

    on.generator.start(plan)
    start_s = time.monotonic()
    on.generator.listen(start_s + plan.warm_up_s, watch)
    psutil.cpu_percent()
    first_s, first_commit, before = look()
    figures = on.generator.listen(start_s + plan.warm_up_s + plan.measure_s, watch)
    last_s, last_commit, after = look()
    busy_percent = psutil.cpu_percent()
    figures = figures or on.generator.figures(watch)
    seconds, commits = last_s - first_s, on.running.committed_between(first_commit, last_commit)
    spent_us = {
        name: round(cpu_s / max(figures.good_in_window * on.size, 1) * 1e6, 1)
        for name, cpu_s in machine.cpu_s_between(before, after).items()
    }
    return {
        "rate": plan.rate * on.size,
        "committed_per_s": round(figures.good_in_window * on.size / plan.measure_s, 1),
        **figures.latencies.ms(50, 95, 99, 100),
        "errors": dict(figures.errors),
        # How late requests left: above a few milliseconds connections were missing, or the generator had no CPU.
        "late_p99_ms": figures.lateness.ms(99)["p99_ms"],
        # Of any kind: bets, settlement, accounts.
        "commits_per_s": round(commits["commits"] / seconds, 1),
        "bets_per_commit": round(commits["bets"] / max(commits["with_bets"], 1), 1),
        "settled_per_s": round(commits["settled"] / seconds, 1),
        "cpu_us_per_bet": dict(sorted(spent_us.items(), key=lambda item: -item[1])),
        # The share of all CPUs' time that was not idle.
        "machine_busy": round(busy_percent / 100, 3),
        "redis_mb": max(one["redis_mb"] for one in stores),
        "wal_mb": max(one["wal_mb"] for one in stores),
    }
