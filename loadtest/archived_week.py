"""What archiving a week of many bets takes: `python -m loadtest.archived_week --bets 10000000`.

The week is one that is due: placed and settled by the writer, archived by the archiver into a folder, let go of in the
writer's steps, and one of its bets is explained from where the archive is stored.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from jobs.upkeep.archive import Archiver
from jobs.upkeep.archive_store import open_store
from jobs.writer.accounts import open_account
from jobs.writer.archives import Trimmer, record_archive
from jobs.writer.book import Book
from loadtest.bets import BETS_PER_COMMIT, CREDIT_CENTS, USER_STRIDE, USERS, stamped
from loadtest.disk_space import settle
from loadtest.growth import ENDLESS, Table
from loadtest.machine import MB
from loadtest.processes import BenchFailed
from runtime.archive.files import kept_file
from runtime.archive.manifest import Manifest
from runtime.archive.weeks import WEEK_MS, Week, week_of
from runtime.clock import ManualClock, SystemClock
from runtime.messaging.commands import Delegation, OpenAccount, Outcome, PlaceBet, RecordArchive
from runtime.messaging.queues import new_id
from runtime.settings import Settings, load
from runtime.storage.database import LEDGER_MIGRATIONS, open_reader, open_writer
from runtime.storage.migrate import migrate

BETS = 10_000_000
BETS_PER_ROUND = 20_000
WEEKS_AGO = 2
"""A week is due six days after its end."""
READ = re.compile(r"read (\d+) bytes of .* in (\d+) requests")


@dataclass(frozen=True, slots=True)
class Player:
    """An account with a login."""

    user_id: str
    login: str
    key: str


class Steps:
    """How long each step took, and the most memory that was used meanwhile."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        Path("/proc/self/clear_refs").write_text("5")
        start_s, used_s = time.perf_counter(), time.process_time()
        yield
        took_s, cpu_s = time.perf_counter() - start_s, time.process_time() - used_s
        self.tell(name, f"{took_s:.0f} s, {cpu_s:.0f} s of CPU, at most {_most_mb()} MB of memory")

    def tell(self, name: str, what: str) -> None:
        """Tell a figure, at once and in the end."""
        self.lines.append(f"{name:<24}{what}\n")
        sys.stderr.write(self.lines[-1])


def _most_mb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def players(path: Path, at_ms: int) -> list[Player]:
    """Open all accounts, each with a login and money."""
    made = []
    database = open_writer(path, checkpoint_pages=0)
    book = Book(database, ManualClock(at_ms), ENDLESS)
    with book.commit(lambda _: None) as commit:
        for number in range(USERS):
            player = Player(new_id(at_ms), new_id(at_ms), f"0x{secrets.token_hex(20)}")
            # What a wallet signs at a login takes some 500 bytes.
            login = Delegation(player.login, player.key, secrets.token_hex(250), f"0x{secrets.token_hex(65)}")
            command = OpenAccount(
                **stamped(at_ms),
                user_id=player.user_id,
                wallet_address=f"0x{number:040x}",
                credit_cents=CREDIT_CENTS,
                delegation=login,
            )
            if open_account(commit, book.seals, command).code:
                raise BenchFailed("an account was refused")
            made.append(player)
    database.close()
    return made


def fill(settings: Settings, week: Week, bets: int) -> None:
    """Have the writer place so many bets, spread over the week, and settle them."""
    path = settings.database
    of = players(path, week.monday_ms)
    rounds = -(-bets // BETS_PER_ROUND)
    for number in range(rounds):
        at_ms = week.monday_ms + (number + 1) * (WEEK_MS // (rounds + 2))
        table = Table(path, settings, at_ms, 0)
        table.database.execute("PRAGMA synchronous = off")
        for first in range(0, min(BETS_PER_ROUND, bets - number * BETS_PER_ROUND), BETS_PER_COMMIT):
            made = table.bets(first)
            table.commit([_of_player(bet, of[(first + n) * USER_STRIDE % USERS]) for n, bet in enumerate(made)])
        settle(table, settings, at_ms)
        table.database.checkpoint("TRUNCATE")
        table.database.close()
        if number % 10 == 0:
            sys.stderr.write(f"\r{number * BETS_PER_ROUND:,} of {bets:,} bets ")
    sys.stderr.write("\n")


def _of_player(bet: PlaceBet, player: Player) -> PlaceBet:
    return structs.replace(bet, user_id=player.user_id, delegation_id=player.login, signer=player.key)


def archive(settings: Settings) -> Manifest:
    """Archive the week; the writer is in this process."""
    clock = SystemClock()

    def ask_writer(command: RecordArchive) -> Outcome:
        database = open_writer(settings.database, checkpoint_pages=0)
        with Book(database, clock, ENDLESS).commit(lambda _: None) as commit:
            outcome = record_archive(commit, command)
        database.close()
        return outcome

    def progress(what: str, done: int, total: int) -> None:
        if done >= total:
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what} done\n")

    [manifest] = Archiver(settings, open_store(settings), ask_writer, clock, progress).run()
    return manifest


def let_go(settings: Settings) -> tuple[int, float]:
    """Let go of what was archived; return the number of steps and how long the longest took, in milliseconds."""
    database = open_writer(settings.database)
    trimmer, steps, longest_s = Trimmer(database, SystemClock()), 0, 0.0
    while True:
        start_s = time.perf_counter()
        if not trimmer.step():
            break
        steps, longest_s = steps + 1, max(longest_s, time.perf_counter() - start_s)
    database.close()
    return steps, longest_s * 1000


def explained(bet_id: str) -> tuple[float, int, int]:
    """Explain a bet by the command; return how long it took, the bytes that it read of the archive, the requests."""
    start_s = time.perf_counter()
    command = [sys.executable, "-m", "taptrade", "explain", bet_id]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = READ.search(done.stderr)
    if found is None:
        raise BenchFailed(f"the bet was not explained from the archive: {done.stderr}")
    return time.perf_counter() - start_s, int(found[1]), int(found[2])


def measure(bets: int) -> list[str]:
    """Fill, archive, let go of and explain; return what each took."""
    steps, settings, clock = Steps(), load(), SystemClock()
    week = week_of(clock.now_ms() - WEEKS_AGO * WEEK_MS)
    migrate(settings.database, LEDGER_MIGRATIONS, clock)
    with steps.step("placed and settled"):
        fill(settings, week, bets)
    live_bytes = settings.database.stat().st_size
    steps.tell("live", f"{live_bytes // MB} MB, {live_bytes / bets:.0f} bytes a bet")
    reader = open_reader(settings.database)
    [(some_bet,)] = reader.execute("SELECT id FROM bets WHERE seq = ?", (bets // 3,))
    reader.close()
    with steps.step("archived"):
        manifest = archive(settings)
    steps.tell("the week's file", f"{manifest.file_bytes // MB} MB, {manifest.file_bytes / bets:.0f} bytes a bet")
    steps.tell("stored", f"{manifest.stored_bytes // MB} MB, {manifest.stored_bytes / bets:.0f} bytes a bet")
    with steps.step("let go of"):
        count, longest_ms = let_go(settings)
    steps.tell("its steps", f"{count}, the longest {longest_ms:.0f} ms")
    kept_file(settings.data, week).unlink()
    took_s, read_bytes, requests = explained(some_bet)
    steps.tell("one bet explained", f"{took_s:.1f} s, {read_bytes / MB:.1f} MB read in {requests} requests")
    return steps.lines


def main(arguments: Sequence[str]) -> int:
    """Measure in a folder that is removed, and tell."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.archived_week", description=__doc__)
    parser.add_argument("--bets", type=int, default=BETS, help=f"how many; else {BETS}")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="taptrade-week-", dir=Path.cwd()) as folder:
        os.environ["TAPTRADE_DATA"] = folder
        sys.stdout.write("".join(measure(given.bets)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
