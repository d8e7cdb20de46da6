"""`make bench-growth`: how long the writer's commits take at 10 thousand bets in the tables, a million, and more."""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from jobs.writer.main import GC_THRESHOLDS
from loadtest.bench import machine
from loadtest.bench.children import BenchFailed
from loadtest.bench.display import Display
from loadtest.bench.rates import MB
from loadtest.command import leave_json, publish, run, workplace
from loadtest.growth.commits import WARM_UP, Round, measure
from loadtest.growth.fill import BETS_PER_COMMIT, BYTES_PER_BET, fill
from loadtest.growth.report import RATIO_MAX, Growth, section, size_of
from runtime.clock import SystemClock
from runtime.game.ledger import SQL
from runtime.settings import load
from runtime.storage.database import open_reader

SIZES = (10_000, 1_000_000)
ROUNDS = 7
COMMITS = 300
COMMITS_PER_S = 25.0
FILLED_PER_S = 60_000
GROWS_BY_MOST = 0.5
"""Tables that the rounds would grow by more than that are put back before each round."""
SPARE_BYTES = 1 << 30
"""For the logs and the bets of the rounds."""


def main(arguments: Sequence[str]) -> int:
    """Fill, measure in turns, print; the exit code is 1 if commits take longer as the tables grow."""
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=SIZES[-1], help="bets in the greatest tables")
    parser.add_argument("--commits", type=int, default=COMMITS, help="commits a round, of 100 bets each")
    args = parser.parse_args(arguments)
    display = Display(Console())
    sizes = [*(size for size in SIZES if size < args.rows), args.rows]
    with workplace("growth", display, kept_on_failure=False) as folder:
        require_room(folder, sizes)
        found = grown(folder, display, sizes, args.commits)
        leave_json("growth", found)
        publish("growth", section(found), display)
    if found.ratio > RATIO_MAX:
        display.say(f"[bold red]p99 grew to {found.ratio:.2f} times, not {RATIO_MAX} at most.[/]")
        return 1
    return 0


def require_room(folder: Path, sizes: Sequence[int]) -> None:
    """Fail before anything is filled if the disk is too small for all sizes together."""
    needed, free = sum(sizes) * BYTES_PER_BET + SPARE_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        gb = 10**9
        raise BenchFailed(f"{needed / gb:.1f} GB are needed in {folder.parent}, {free / gb:.1f} GB are free")


def grown(folder: Path, display: Display, sizes: Sequence[int], commits: int) -> Growth:
    """Fill a database for each size, then let them take turns."""
    filled = [_filled(folder / f"{size}" / "taptrade.db", display, size) for size in sizes]
    settings = load({"TAPTRADE_DATA": str(folder)})
    # As the writer's process has it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    added = (WARM_UP + commits) * BETS_PER_COMMIT
    rounds: dict[int, list[Round]] = {size: [] for size in sizes}
    for number in range(ROUNDS):
        # Every size comes early and late in a turn, so that what the machine does beside it hits all alike.
        for table in [*filled[number % len(filled) :], *filled[: number % len(filled)]]:
            if table.bets * GROWS_BY_MOST < ROUNDS * added:
                table.put_back()
            with display.step(f"{commits} commits on {table.bets:,} bets", (WARM_UP + commits) / COMMITS_PER_S):
                one = measure(table.path, settings, SystemClock().now_ms(), number, commits, COMMITS_PER_S)
            display.say(f"{table.bets:,} bets: p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms")
            rounds[table.bets].append(one)
    return Growth(
        commits=commits,
        rounds=ROUNDS,
        per_s=COMMITS_PER_S,
        sizes=[
            size_of(table.bets, bets_in(table.path), table.path.stat().st_size / MB, table.fill_s, rounds[table.bets])
            for table in filled
        ],
        machine=_machine(filled[0].path),
    )


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled database, and how long that took."""

    bets: int
    path: Path
    fill_s: float

    @property
    def as_filled(self) -> Path:
        """Where its first state is kept."""
        return self.path.with_suffix(".filled")

    def put_back(self) -> None:
        """Make it what it was when it had been filled."""
        if not self.as_filled.exists():
            shutil.copyfile(self.path, self.as_filled)
        shutil.copyfile(self.as_filled, self.path)
        with self.path.open("rb+") as file:
            os.fsync(file)


def _filled(path: Path, display: Display, size: int) -> Filled:
    path.parent.mkdir()
    start_s = time.monotonic()
    with display.step(f"filling in {size:,} bets", size / FILLED_PER_S) as show:
        fill(path, size, SystemClock(), lambda bets: show(f"{bets:,} of {size:,} bets"))
    return Filled(size, path, time.monotonic() - start_s)


def bets_in(path: Path) -> int:
    """Count the bets."""
    database = open_reader(path)
    bets = int(database.execute(SQL["last_bet_seq"])[0][0])
    database.close()
    return bets


def _machine(path: Path) -> str:
    database = open_reader(path)
    version = str(database.execute("SELECT sqlite_version()")[0][0])
    database.close()
    about = machine.describe(None, version)
    return (
        f"Measured on {about['cpus']} CPUs ({about['cpu']}), {about['memory_gb']} GB, Linux {about['kernel']}, Python "
        f"{about['python']}, SQLite {about['sqlite']}."
    )


if __name__ == "__main__":
    run("growth", main)
