"""`make bench-growth`: how long the writer's commits take at 10 thousand bets in the tables, a million, and more."""

from __future__ import annotations

import argparse
import gc
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from jobs.writer.main import GC_THRESHOLDS
from loadtest.bench import machine
from loadtest.bench.children import BenchFailed
from loadtest.bench.display import Display
from loadtest.bench.rates import MB
from loadtest.command import leave_json, publish, run, workplace
from loadtest.growth.commits import Round, measure
from loadtest.growth.fill import BETS_PER_COMMIT, BYTES_PER_BET, fill
from loadtest.growth.report import Growth, section, size_of
from runtime.clock import SystemClock
from runtime.db import open_reader
from runtime.settings import load

SIZES = (10_000, 1_000_000)
ROUNDS = 3
COMMITS = 300
COMMITS_PER_S = 25.0
FILLED_PER_S = 25_000


def main(arguments: Sequence[str]) -> int:
    """Fill, measure in turns, print."""
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=SIZES[-1], help="bets in the greatest tables")
    parser.add_argument("--commits", type=int, default=COMMITS, help="commits a round, of 100 bets each")
    args = parser.parse_args(arguments)
    display = Display(Console())
    sizes = [*(size for size in SIZES if size < args.rows), args.rows]
    with workplace("growth", display) as folder:
        needed, free = sum(sizes) * BYTES_PER_BET, shutil.disk_usage(folder).free
        if needed > free:
            raise BenchFailed(f"{needed >> 30} GB are needed on the disk, {free >> 30} GB are free")
        found = grown(folder, display, sizes, args.commits)
        leave_json("growth", found)
        publish("growth", section(found), display)
    return 0


def grown(folder: Path, display: Display, sizes: Sequence[int], commits: int) -> Growth:
    """Fill a database for each size, then let them take turns."""
    filled = {size: _filled(folder / f"{size}" / "taptrade.db", display, size) for size in sizes}
    settings = load({"TAPTRADE_DATA": str(folder)})
    # As the writer's process has it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    rounds: dict[int, list[Round]] = {size: [] for size in sizes}
    for number in range(ROUNDS):
        for size in sizes:
            path, _ = filled[size]
            with display.step(f"{commits} commits on {size:,} bets", commits / COMMITS_PER_S):
                one = measure(path, settings, SystemClock().now_ms(), number, commits, COMMITS_PER_S)
            display.say(f"{size:,} bets: p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms")
            rounds[size].append(one)
    added = ROUNDS * commits * BETS_PER_COMMIT
    return Growth(
        commits=commits,
        rounds=ROUNDS,
        per_s=COMMITS_PER_S,
        sizes=[
            size_of(size, added, path.stat().st_size / MB, fill_s, rounds[size])
            for size, (path, fill_s) in filled.items()
        ],
        machine=_machine(filled[sizes[0]][0]),
    )


def _filled(path: Path, display: Display, size: int) -> tuple[Path, float]:
    """Fill one database; return it and how long that took."""
    path.parent.mkdir()
    start_s = time.monotonic()
    with display.step(f"filling in {size:,} bets", size / FILLED_PER_S):
        fill(path, size, SystemClock())
    return path, time.monotonic() - start_s


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
