"""Two writers of one house against one, with limits on, in turns: `python -m loadtest.shards`.

Each writer is a process of its own and commits bets as `loadtest.engines` does; of two, each asks the house for leases.
Redis is left out. What bets may pay is kept far below the limits, which are counted all the same.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from jobs.writer.inbox import TakenJob
from jobs.writer.share import Share
from loadtest import postgres
from loadtest.bets import tick
from loadtest.engines import AT_ONCE, SERVER, VOLATILITY, Side, kept
from loadtest.measurement import Found
from runtime.clock import ManualClock, SystemClock
from runtime.game.limits import RiskLimits
from runtime.messaging.commands import Batch
from runtime.messaging.queues import BETS
from runtime.postgresql import schema
from runtime.postgresql.adding import add_shard
from runtime.settings import load

BUILD = Path("build/shards.json")
RISK = RiskLimits(10**6, 10**9, 10**10, 10**11)
"""What a large house may set; leases hold back one part in a hundred of each."""


def work(url: str, shard: int, players: int, size: int, asked: Connection) -> None:
    """Be a writer: for each number of seconds that is asked, commit so long, and answer how many bets that were."""
    settings = load({"TAPTRADE_DATA": "/nonexistent", "TAPTRADE_DATABASE_URL": url})
    side = Side(settings, players, shard=shard, risk=RISK)
    house = side.book.house
    share = None if house is None else Share(side.book, house, side.rules)

    def commit(count: int) -> int:
        bets = side.bets(count)
        if share is None:
            side.commit(bets)
            return count
        share.before([TakenJob("bench", BETS, count, Batch("bench", [*bets]))], tick(side.clock.now_ms(), VOLATILITY))
        side.commit(bets)
        share.after()
        return count

    commit(AT_ONCE)
    asked.send(0)
    while seconds := asked.recv():
        placed, began_s = 0, time.monotonic()
        while time.monotonic() - began_s < seconds:
            placed += commit(size)
        asked.send(placed / (time.monotonic() - began_s))


class Writers:
    """The writers of one house, each a process."""

    def __init__(self, url: str, shards: int, players: int, size: int) -> None:
        schema.migrate(url, SystemClock())
        for _ in range(1, shards):
            add_shard(url, ManualClock(0), RISK)  # the writers live in a moment of their own
        context = multiprocessing.get_context("spawn")
        self._ends: list[Connection] = []
        self._processes = []
        for shard in range(1, shards + 1):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(url, shard, players, size, theirs), daemon=True)
            process.start()
            self._ends.append(ours)
            self._processes.append(process)
        for end in self._ends:
            end.recv()

    def turn(self, seconds: float) -> float:
        """Let all of them commit at the same time; return bets a second together."""
        for end in self._ends:
            end.send(seconds)
        return float(sum(end.recv() for end in self._ends))

    def end(self) -> None:
        """End them."""
        for end in self._ends:
            end.send(0)
        for process in self._processes:
            process.join(30)


def measure(given: argparse.Namespace, folder: Path) -> Found:
    """Measure; the server lies below `folder`, on the disk."""
    folder.chmod(0o711)
    with postgres.server(folder / "postgres", *SERVER, sockets_in=folder) as running:
        for name in ("one", "two"):
            running.run("createdb", "-T", "template0", name)
        both = [
            Writers(running.url(name), shards, given.players, given.size) for name, shards in (("one", 1), ("two", 2))
        ]
        per_s: list[list[float]] = [[], []]
        for _ in range(given.rounds):
            for at, writers in enumerate(both):
                per_s[at].append(writers.turn(given.seconds))
        for writers in both:
            writers.end()
    ratios = [two / one for one, two in zip(*per_s, strict=True)]
    return {
        "bets_a_commit": given.size,
        "per_s": {"one writer": round(median(per_s[0])), "two writers": round(median(per_s[1]))},
        "ratio": round(median(ratios), 2),
        "ratio_least": round(min(ratios), 2),
    }


def main(arguments: Sequence[str]) -> int:
    """Measure, print a line, and leave the figures in build/shards.json."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.shards", description=__doc__)
    parser.add_argument("--size", type=int, default=200, metavar="N", help="bets a commit (%(default)s)")
    parser.add_argument("--rounds", type=int, default=6, metavar="N", help="turns of each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, metavar="S", help="of a turn (%(default)s)")
    parser.add_argument("--players", type=int, default=1_000, metavar="N", help="of each writer (%(default)s)")
    given = parser.parse_args(arguments)
    found = kept(BUILD, lambda folder: measure(given, folder))
    sys.stdout.write(f"{found}\n" if found else "")
    return 0 if found else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
