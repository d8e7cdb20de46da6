"""`make soak`: the real system under a steady rate of signed bets, watched for what grows, the money counted."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from loadtest.bench import machine
from loadtest.bench.display import Display, Show
from loadtest.bench.generator import Generator, Progress
from loadtest.bench.schedule import Figures, Plan
from loadtest.bench.stage import Stage, stage
from loadtest.bench.vitals import Vitals
from loadtest.command import leave_json, nginx_or_fail, publish, run, workplace
from loadtest.soak.report import section
from loadtest.soak.results import SHORTEST_S, Soak, errors_of, trends_of
from loadtest.soak.samples import Sample, Sampler

EVERY_S = 5.0
COUNT_S = 60


def main(arguments: Sequence[str]) -> int:
    """Run the soak; the exit code is 1 if the money does not add up."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=int, default=500, help="signed bets a second")
    args = parser.parse_args(arguments)
    display, nginx = Display(Console()), nginx_or_fail()
    with workplace("soak", display) as folder:
        soak = soaked(folder, nginx, display, args.rate, args.minutes)
        leave_json("soak", soak)
        publish("soak", section(soak), display, renew=soak.seconds >= SHORTEST_S)
        if not soak.audit.adds_up:
            display.say("[bold red]The money does not add up.[/]")
            return 1
    return 0


def soaked(folder: Path, nginx: str, display: Display, rate: int, minutes: float) -> Soak:
    """Run the system at `rate` for `minutes`, then settle and count."""
    with stage(folder, nginx, display, signed=True) as on:
        about = machine.describe(nginx, on.vitals.sqlite_version())
        first = on.vitals.newest_commit()
        start_s = time.monotonic()
        with display.step(f"{rate:,} bets/s for {minutes:g} minutes", minutes * 60) as show:
            samples = _samples(on, rate, minutes, show)
        seconds = time.monotonic() - start_s
        committed = on.vitals.between(first, on.vitals.newest_commit()).bets
        with display.step("settling and counting the money", COUNT_S):
            audit = on.count_money()
    return Soak(
        rate=rate,
        minutes=minutes,
        seconds=round(seconds, 1),
        every_s=EVERY_S,
        committed=committed,
        errors=errors_of(samples),
        trends=trends_of(samples),
        samples=samples,
        audit=audit,
        machine=about,
    )


def _samples(on: Stage, rate: int, minutes: float, show: Show) -> list[Sample]:
    """Follow one plan after the other, with a look at everything after each."""
    sampler = Sampler(on.meter.roots, on.vitals)
    samples: list[Sample] = []
    for _ in range(round(minutes * 60 / EVERY_S)):
        figures, waiting = _interval(on.meter.generator, on.vitals, Plan(rate, 0.0, EVERY_S))
        samples.append(sampler.sample(figures, waiting))
        newest = samples[-1]
        show(f"p99 {newest.p99_ms:,.0f} ms, log {newest.wal_mb:,.0f} MB, Redis {newest.redis_mb:,.0f} MB")
    return samples


def _interval(sender: Generator, vitals: Vitals, plan: Plan) -> tuple[Figures, int]:
    """Follow one plan; return its figures and the most bets that were seen waiting."""
    waiting = 0

    def look(_progress: Progress) -> None:
        nonlocal waiting
        waiting = max(waiting, vitals.backlog_bets())

    sender.start(plan)
    return sender.figures(look), waiting


if __name__ == "__main__":
    run("soak", main)
