"""The writer's commits on SQLite and on PostgreSQL, in turns in one process: `python -m loadtest.engines`.

Redis is left out: bets come as commands, are judged, paid for, hashed and committed durably, and nothing is published.
What the caller makes of bets counts on neither side. The exit code is 2 where there is no PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from jobs.writer.accounts import open_account
from jobs.writer.book import Book
from jobs.writer.foresight import foresee
from jobs.writer.inbox import TakenJob
from jobs.writer.rules import WriterRules
from loadtest import bets as made
from loadtest import postgres, postgres_bets
from loadtest.bets import PRICE_CENTS, STAKE_CENTS, Show, place_bet, stamped, tick, user_id
from loadtest.commits import checkpointed, commit_bets, no_wait
from loadtest.measurement import Found
from loadtest.processes import BenchFailed
from runtime.clock import ManualClock, SystemClock
from runtime.game.grid import Cell, GridRules, column_of
from runtime.game.ledger import Commit
from runtime.game.limits import RiskLimits
from runtime.game.rewards import BrownianTouch
from runtime.messaging.commands import Batch, OpenAccount, PlaceBet
from runtime.messaging.queues import BETS
from runtime.postgresql import choice, schema
from runtime.settings import Settings, load
from runtime.storage.database import LEDGER_MIGRATIONS, SqliteDatabase
from runtime.storage.migrate import migrate

BUILD = Path("build/engines.json")
PLENTY = 10**13
CREDIT_CENTS = 10**12
AT_ONCE = 500
UNLIMITED = RiskLimits(PLENTY, PLENTY, PLENTY, PLENTY)
ROWS = 10
COLUMNS = 9
VOLATILITY = 200.0
SERVER = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min")
UNANALYSED = "autovacuum=off"
"""Nobody else analyses the tables: what is measured first knows nothing of their sizes."""
SHOWN_EVERY = 500_000
RULES = GridRules(column_seconds=5, horizon_columns=12, row_step_cents=500, rows=20)


@dataclass(slots=True)
class Side:
    """One engine with its writer's book, and how long its commits took, in seconds."""

    settings: Settings
    players: int
    shard: int = 1
    risk: RiskLimits = UNLIMITED
    is_filled: bool = False
    """Whether the players are there already, as loadtest/bets.py makes them."""
    clock: ManualClock = field(default_factory=lambda: ManualClock(1000 * column_of(SystemClock().now_ms(), RULES)))
    book: Book = field(init=False)
    users: list[str] = field(init=False, default_factory=list)
    took_s: list[float] = field(init=False, default_factory=list)
    _placed: int = field(init=False, default=0)
    rules: WriterRules = field(init=False)

    def __post_init__(self) -> None:
        rules = WriterRules.of(self.settings, BrownianTouch(RULES, 500), no_wait)
        self.rules = replace(rules, grid=RULES, presets_cents=(STAKE_CENTS,), max_fill_age_ms=1_500)
        database = choice.open_writer(self.settings, self.shard)
        self.book = Book(database, self.clock, self.risk, commit_type=choice.commit_type(self.settings))
        if self.is_filled:
            self.users = [user_id(number, self.players) for number in range(self.players)]
            return
        for first in range(0, self.players, AT_ONCE):
            with self.book.commit(lambda _: None) as commit:
                for number in range(first, min(first + AT_ONCE, self.players)):
                    self.users.append(self._opened(commit, number))

    def _opened(self, commit: Commit, number: int) -> str:
        told = stamped(self.clock.now_ms())
        command = OpenAccount(
            **told, user_id=told["id"], wallet_address=f"0x{self.shard:02x}{number:038x}", credit_cents=CREDIT_CENTS
        )
        open_account(commit, self.book.seals, command)
        return command.user_id

    def bets(self, count: int) -> list[PlaceBet]:
        """Make bets, of each player once before one bets again, on another cell then."""
        width_s, step = RULES.column_seconds, RULES.row_step_cents
        if self._placed + count > ROWS * COLUMNS * self.players:
            # On these columns every player has bet on all cells.
            self.clock.advance(1000 * width_s * (COLUMNS + 3))
            self._placed = 0
        made, now_ms = [], self.clock.now_ms()
        for _ in range(count):
            round_, at = divmod(self._placed, self.players)
            start_s = column_of(now_ms, RULES) + width_s * (3 + round_ % COLUMNS)
            low = PRICE_CENTS - PRICE_CENTS % step + step * (round_ // COLUMNS % ROWS - ROWS // 2)
            made.append(place_bet(self.users[at * 7919 % self.players], Cell(start_s, low, low + step), now_ms))
            self._placed += 1
        return made

    def commit(self, bets: Sequence[PlaceBet]) -> None:
        """Commit bets as the writer does; raise BenchFailed if one is refused."""
        jobs = [TakenJob("bench", BETS, len(bets), Batch("bench", [*bets]))]
        commit_bets(
            self.book,
            bets,
            self.rules,
            tick(self.clock.now_ms(), VOLATILITY),
            ahead=lambda commit: foresee(commit, self.book, RULES, jobs, tuple),
        )

    def turn(self, size: int, seconds: float) -> float:
        """Commit so many bets at a time for some seconds; return bets a second."""
        took: list[float] = []
        while sum(took) < seconds:
            bets = self.bets(size)
            start_s = time.perf_counter()
            self.commit(bets)
            took.append(time.perf_counter() - start_s)
        self.took_s += took
        return size * len(took) / sum(took)


def sides(folder: Path, players: int, url: str, fill: int = 0) -> dict[str, Side]:
    """Return both engines with their accounts, and with so many bets of them."""
    clock = SystemClock()
    sqlite = load({"TAPTRADE_DATA": str(folder / "sqlite")})
    schema.migrate(url, clock)
    if fill:
        made.fill(sqlite.database, fill, clock, _counting("SQLite"), players)
        postgres_bets.fill(url, fill, clock, players, _counting("PostgreSQL"))
    else:
        migrate(sqlite.database, LEDGER_MIGRATIONS, clock)
    postgresql = load({"TAPTRADE_DATA": str(folder / "none"), "TAPTRADE_DATABASE_URL": url})
    return {
        name: Side(settings, players, is_filled=bool(fill))
        for name, settings in (("SQLite", sqlite), ("PostgreSQL", postgresql))
    }


def _counting(name: str) -> Show:
    def show(count: int) -> None:
        if count % SHOWN_EVERY == 0:
            _say(f"{name}: {count:,} bets")

    return show


def compare(both: dict[str, Side], size: int, rounds: int, seconds: float) -> Found:
    """Let both commit in turns; return bets a second of each, the 99th percentile of a commit, and the ratios."""
    per_s: dict[str, list[float]] = {name: [] for name in both}
    for side in both.values():
        side.took_s.clear()
    for _ in range(rounds):
        for name, side in both.items():
            per_s[name].append(side.turn(size, seconds))
    p99_ms = {name: 1000 * sorted(one.took_s)[int(0.99 * len(one.took_s))] for name, one in both.items()}
    ratios = [theirs / ours for ours, theirs in zip(*per_s.values(), strict=True)]
    return {
        "bets_a_commit": size,
        "per_s": {name: round(median(found)) for name, found in per_s.items()},
        "ratio": round(median(ratios), 2),
        "ratio_least": round(min(ratios), 2),
        "p99_ms": {name: round(found, 1) for name, found in p99_ms.items()},
        "p99_ratio": round(p99_ms["PostgreSQL"] / p99_ms["SQLite"], 2),
    }


def measure(given: argparse.Namespace, folder: Path) -> Found:
    """Measure everything; the server and both ledgers lie below `folder`, on the disk."""
    folder.chmod(0o711)
    with postgres.server(folder / "postgres", *SERVER, UNANALYSED, sockets_in=folder) as running:
        running.run("createdb", "-T", "template0", "house")
        both = sides(folder, given.players, running.url("house"), given.fill)
        sqlite = both["SQLite"]
        if not isinstance(sqlite.book.database, SqliteDatabase):
            raise TypeError("only SQLite has a log to copy")
        with checkpointed(sqlite.book.database, sqlite.settings.database, sqlite.clock):
            for side in both.values():
                # Each player's first bet makes a key, and fills what both keep in memory.
                for _ in range(0, given.players, AT_ONCE):
                    side.commit(side.bets(AT_ONCE))
            found = [compare(both, size, given.rounds, given.seconds) for size in given.sizes]
            running.run("vacuumdb", "--analyze", "--quiet", "house")
            analysed = [compare(both, size, given.rounds, given.seconds) for size in given.sizes]
        for side in both.values():
            side.book.database.close()
        running.run("pgbench", "-i", "-q", "-s", str(postgres.SCALE), "postgres")
        tpcb_per_s = median(postgres.tpcb_per_s(running) for _ in range(3))
    return {
        "bets_before": given.fill,
        "players": given.players,
        "sizes": found,
        "analysed": analysed,
        "tpcb_per_s": round(tpcb_per_s),
        "bets_for_each_tpcb": round(found[-1]["per_s"]["PostgreSQL"] / tpcb_per_s, 1),
    }


def main(arguments: Sequence[str]) -> int:
    """Measure, print a line for each size, and leave the figures in build/engines.json."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.engines", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500], metavar="N", help="bets a commit")
    parser.add_argument("--rounds", type=int, default=8, metavar="N", help="turns of each engine (%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.5, metavar="S", help="of a turn (%(default)s)")
    parser.add_argument("--players", type=int, default=2_000, metavar="N", help="(%(default)s)")
    parser.add_argument("--fill", type=int, default=0, metavar="N", help="bets that are there before (%(default)s)")
    given = parser.parse_args(arguments)
    found = kept(BUILD, lambda folder: measure(given, folder))
    if found is None:
        return 2
    for name in ("sizes", "analysed"):
        _say(f"{name}:")
        for one in found[name]:
            _say(str(one))
    _say(f"TPC-B: {found['tpcb_per_s']} a second, {found['bets_for_each_tpcb']} bets for each")
    return 0


def kept(file: Path, measure: Callable[[Path], Found]) -> Found | None:
    """Measure in a folder that goes with the run, and keep what was found in a file; None, and said why, without it."""
    # On the project's own disk, where others than root get to what lies in a folder of it.
    disk = file.parent.absolute() if os.geteuid() else Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryDirectory(prefix=f"taptrade-{file.stem}-", dir=disk) as folder:
            found = measure(Path(folder))
    except BenchFailed as ex:
        sys.stderr.write(f"{file.stem}: {ex}\n")
        return None
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
