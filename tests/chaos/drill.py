"""`make drill`: lose the machine under load, bring the house back elsewhere from its replica, and count the bets."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event as Flag

import msgspec
import psutil

from runtime.clock import SystemClock
from taptrade.restore import Restored
from tests.acceptance.system import STEADY, System
from tests.chaos.attempts import Attempt
from tests.chaos.crowd import Crowd
from tests.chaos.record import Record

OLD_ENOUGH_MS = 1_000
"""What was answered longer ago than this must come back."""
PLAYERS = 12
BETS_PER_S = 60.0
CLOCK = SystemClock()


@dataclass(slots=True)
class Drilled:
    """What players were answered, and what of it came back."""

    acknowledged: int = 0
    acknowledged_last: int = 0
    """In the last second."""
    missing: list[tuple[int, Attempt]] = field(default_factory=list)
    """What is not in the restored ledger: how long before the end it was answered, and what."""
    changed: int = 0
    """Bets that came back as others than were answered."""
    restored: Restored | None = None

    @property
    def too_old(self) -> list[int]:
        """Ages of what should have come back."""
        return [age_ms for age_ms, _ in self.missing if age_ms >= OLD_ENOUGH_MS]

    @property
    def oldest_missing_ms(self) -> int:
        """How much time was lost."""
        return max((age_ms for age_ms, _ in self.missing), default=0)


def drill(folder: Path, seconds: float, seed: int, **settings: str) -> Drilled:
    """Play, lose the machine with its data folder, restore from the replica, and count."""
    house, replica = (
        System(folder / "data", replica_url=str(folder / "elsewhere"), **STEADY, **settings),
        folder / "elsewhere",
    )
    try:
        house.start()
        with Crowd(house, players=PLAYERS, bets_per_s=BETS_PER_S, seed=seed, patient=1.0) as crowd:
            crowd.wait_for_bets(10)
            Flag().wait(seconds)
            lost_ms = lose(house)
        attempts = [attempt for player in crowd.players for attempt in player.attempts if attempt.confirmed]
    finally:
        house.end()
    shutil.rmtree(house.data)
    restored = restore(house, replica, folder / "new")
    return count(folder / "new", attempts, lost_ms, restored)


def lose(house: System) -> int:
    """Kill all processes at once, what ships first; return when that began."""
    launcher = psutil.Process(house.launcher_pid)
    doomed = sorted(launcher.children(recursive=True), key=lambda process: process.name() != "litestream")
    began_ms = CLOCK.now_ms()
    for process in [*doomed, launcher]:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return began_ms


def restore(house: System, replica: Path, to: Path) -> Restored:
    """Run the command as an operator does."""
    command = [sys.executable, "-m", "taptrade", "restore", "--from", str(replica), "--to", str(to), "--json"]
    done = subprocess.run(command, env=house.variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return msgspec.json.decode(done.stdout, type=Restored)


def count(data: Path, attempts: list[Attempt], lost_ms: int, restored: Restored) -> Drilled:
    """Hold what was answered against the restored ledger."""
    with System(data).database() as database:
        bets = Record.read(database).bets
    found = Drilled(restored=restored)
    for attempt in attempts:
        told, age_ms = attempt.confirmed[0], lost_ms - attempt.acknowledged_ms
        found.acknowledged += 1
        found.acknowledged_last += age_ms < OLD_ENOUGH_MS
        stored = bets.get(told.id)
        if stored is None:
            found.missing.append((age_ms, attempt))
        elif (stored.cell_id, stored.amount, stored.nonce) != (told.cell_id, told.amount, attempt.signed.nonce):
            found.changed += 1
    return found


def say(*cells: object) -> None:
    """Write a line of the table."""
    sys.stdout.write("\t".join(map(str, cells)) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Drill several times; 0 only if nothing is missing that was answered a second before or earlier."""
    parser = argparse.ArgumentParser(prog="make drill", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    random, failed = Random(given.seed), False
    say("round", "answered", "in the last second", "missing", "oldest missing, ms", "changed", "restored up to")
    for number in range(1, given.rounds + 1):
        with tempfile.TemporaryDirectory(prefix="taptrade-drill-") as folder:
            found = drill(Path(folder), random.uniform(3, 12), number)
        assert found.restored is not None
        failed |= bool(found.too_old or found.changed or not found.restored.audit_ok)
        say(
            *(number, found.acknowledged, found.acknowledged_last, len(found.missing), found.oldest_missing_ms),
            *(found.changed, found.restored.committed_at),
        )
        for age_ms, attempt in sorted(found.missing, key=lambda one: one[0]):
            bet = attempt.confirmed[0]
            say(
                "", f"missing: bet {bet.id} of {bet.amount} cents on {bet.cell_id}, answered {age_ms} ms before the end"
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
