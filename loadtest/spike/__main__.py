"""`make spike`: signed bets from 0 to 5,000 a second in ten seconds, held, and back; then normal again, and counted."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from loadtest.bench import machine, proc
from loadtest.bench.display import Display, Show
from loadtest.bench.generator import Progress
from loadtest.bench.schedule import Plan
from loadtest.bench.stage import Stage, stage
from loadtest.command import leave_json, nginx_or_fail, publish, run, workplace
from loadtest.soak.samples import memory_and_descriptors
from loadtest.spike.report import section
from loadtest.spike.results import Phase, Second, Spike, complaints, died, held, is_normal, phase

RATE = 5_000
CONNECTIONS = 5_000
RAMP_S, HOLD_S = 10.0, 10.0
NORMAL = Plan(500, 0.0, 10.0)
LOOK = Plan(500, 0.0, 1.0)
RECOVERY_S_MAX = 60.0
COUNT_S = 60


def main(arguments: Sequence[str]) -> int:
    """Run the spike; the exit code is 1 if something broke, or the money does not add up."""
    parser = argparse.ArgumentParser(prog="make spike", description=__doc__)
    parser.add_argument("--rate", type=int, default=RATE, help="signed bets a second at the top")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    args = parser.parse_args(arguments)
    display, nginx = Display(Console()), nginx_or_fail()
    with workplace("spike", display) as folder:
        spike = spiked(folder, nginx, display, args.rate, args.connections)
        leave_json("spike", spike)
        publish("spike", section(spike), display)
        wrong = complaints(spike)
        for complaint in wrong:
            display.say(f"[bold red]{complaint}[/]")
    return 1 if wrong else 0


def spiked(folder: Path, nginx: str, display: Display, rate: int, connections: int) -> Spike:
    """Measure a normal stretch, the spike, and what follows."""
    plan = Plan(rate, 0.0, RAMP_S + HOLD_S + RAMP_S, RAMP_S)
    with stage(folder, nginx, display, signed=True, connections=connections) as on:
        about = machine.describe(nginx, on.vitals.sqlite_version())
        first = proc.members(on.meter.roots)
        with display.step("before", NORMAL.measure_s):
            calm = _follow(on, "before", NORMAL)
        # What lives through the calm is there to stay: not a copy of Redis that writes a file and ends.
        before = {pid: name for pid, name in proc.members(on.meter.roots).items() if pid in first}
        with display.step(f"0 to {rate:,} bets/s and back", plan.measure_s) as show:
            rush, seconds = _rush(on, plan, show)
        with display.step("after", NORMAL.measure_s):
            recovered_s = _recovery_s(on)
            after = _follow(on, "after", NORMAL)
        gone = died(before, proc.members(on.meter.roots))
        with display.step("settling and counting the money", COUNT_S):
            audit = on.count_money()
    committed_per_s, others_per_s = held(seconds, RAMP_S, RAMP_S + HOLD_S)
    return Spike(
        rate=rate,
        connections=connections,
        held_committed_per_s=committed_per_s,
        held_others_per_s=others_per_s,
        phases=[calm, rush, after],
        seconds=seconds,
        recovered_s=recovered_s,
        died=gone,
        audit=audit,
        machine=about,
    )


def _follow(on: Stage, name: str, plan: Plan) -> Phase:
    on.meter.generator.start(plan)
    return phase(name, on.meter.generator.figures(lambda _progress: None))


def _rush(on: Stage, plan: Plan, show: Show) -> tuple[Phase, list[Second]]:
    """Follow the spike and keep what was answered by each of its seconds."""
    start_s = time.monotonic()
    seconds: list[Second] = []

    def note(progress: Progress) -> None:
        at_s = round(time.monotonic() - start_s)
        api_mb = memory_and_descriptors(on.meter.roots)["api"].own_mb
        seconds.append(Second(at_s, progress.good, progress.errors, on.vitals.backlog_bets(), api_mb))
        show(f"{progress.good:,} committed, {progress.errors:,} other answers")

    on.meter.generator.start(plan)
    return phase("spike", on.meter.generator.figures(note)), seconds


def _recovery_s(on: Stage) -> float | None:
    """Return how long it took until a second of normal load was answered in normal time."""
    start_s = time.monotonic()
    while (passed_s := time.monotonic() - start_s) < RECOVERY_S_MAX:
        if is_normal(_follow(on, "", LOOK)):
            return round(passed_s, 1)
    return None


if __name__ == "__main__":
    run("spike", main)
