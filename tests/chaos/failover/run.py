"""`make chaos-cluster`: two PostgreSQLs, two writers, machines that fail one another under load, and the count."""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from random import Random

import msgspec
from rich.console import Console

from runtime.clock import SystemClock
from tests.chaos.count import SHOWN_MAX, Counting, count
from tests.chaos.crowd import Crowd
from tests.chaos.failover.faults import Kind, Scene, chosen
from tests.chaos.failover.history import violations
from tests.chaos.failover.house import House
from tests.chaos.failover.machines import NoMachines, made
from tests.chaos.failover.patroni import Database
from tests.chaos.failover.reading import ReadingPlayer, stored_entries
from tests.chaos.failover.redis_servers import RedisServers
from tests.chaos.failover.report import REPORT, Outcome, figures, in_doubt, rewrite
from tests.chaos.failover.timeline import Fault, measure
from tests.chaos.failover.watch import Watch
from tests.chaos.stage import audit_into, left_behind, record_with_events
from tests.waiting import wait_until

MEMORY = Path("/dev/shm")
PLAYER_BETS_PER_S = 2.5
WARM_UP_BETS = 50
WHOLE_S = 120
BETS_S = 60
BETWEEN_S = (1.0, 3.0)
SETTLE_S = 120
CLOCK = SystemClock()


class Failover:
    """One run: machines, house and crowd, its faults one after the other, and what they came to."""

    def __init__(self, scene: Scene, crowd: Crowd, console: Console) -> None:
        self.scene = scene
        self.crowd = crowd
        self.console = console
        self.faults: list[Fault] = []
        self.wrong: list[str] = []

    def play(self, number: int, until_s: float) -> None:
        """Break and mend so many times, or until the clock says so."""
        with Watch(self.scene.house) as watch:
            for at, (kind, lasts_s) in enumerate(chosen(number, self.scene.random), 1):
                if time.time() > until_s:
                    self.console.print(f"time is up after {at - 1} faults")
                    break
                self._one(f"{at} of {number}", kind, lasts_s, watch)
                if self.wrong:
                    break

    def _one(self, which: str, kind: Kind, lasts_s: float, watch: Watch) -> None:
        time.sleep(self.scene.random.uniform(*BETWEEN_S))
        self.crowd.fault = kind.name
        self.scene.unshared = 0
        fault = Fault(kind.name, CLOCK.now_ms())
        self.faults.append(fault)
        watch.begin(fault)
        try:
            with kind.breaking(self.scene):
                time.sleep(lasts_s)
            fault.mended_ms = CLOCK.now_ms()
            self.crowd.wait_for_bets(10, BETS_S)
            wait_until(self.scene.database.is_whole, WHOLE_S, every_s=0.2, what="a primary with its standby")
            wait_until(self.scene.redis.is_whole, WHOLE_S, every_s=0.2, what="a Redis with its replicas")
            wait_until(self.scene.house.is_well, BETS_S, every_s=0.2, what="a house that is well")
            self.crowd.wait_for_bets(10, BETS_S)
        except AssertionError as ex:
            self.wrong.append(f"{kind.name}: {ex}")
        fault.ended_ms, fault.unshared = CLOCK.now_ms(), self.scene.unshared
        measure([fault], self.answered_ms())
        said = f"silence {fault.silence_s:.1f} s, bets again after {fault.again_s:.1f} s"
        more = f", {fault.unshared} commits unshared" if fault.unshared else ""
        self.console.print(f"{which}: {kind.name}, {lasts_s:.1f} s: {said}{more}", highlight=False)

    def answered_ms(self) -> list[int]:
        """Return when each bet was answered 201, in order."""
        attempts = [attempt for player in self.crowd.players for attempt in list(player.attempts)]
        return sorted(attempt.acknowledged_ms for attempt in attempts if attempt.acknowledged_ms)


def main(arguments: list[str]) -> int:
    """Play the faults; 0 only if everything adds up."""
    args = _parser().parse_args(arguments)
    console = Console(width=140)
    console.print(f"chaos-cluster: seed {args.seed}; the same seed chooses the same faults")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="tap-cluster-", dir=MEMORY if MEMORY.is_mount() else None))
    folder.chmod(0o755)
    try:
        outcome = _run(args, folder, console)
    except NoMachines as ex:
        console.print(f"not done here: {ex}", style="bold red")
        shutil.rmtree(folder)
        return 1
    for sentence in outcome.counting.sentences[:SHOWN_MAX]:
        console.print(sentence, style="red", markup=False)
    console.print(figures(outcome), markup=False, highlight=False)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(asdict(outcome))) + b"\n")
    if args.write:
        rewrite(outcome)
    adds_up = outcome.counting.adds_up
    if adds_up:
        shutil.rmtree(folder)
    kept = "" if adds_up else f"; logs and data are kept in {folder}"
    console.print("everything adds up" if adds_up else f"{len(outcome.counting.sentences)} things are wrong{kept}")
    return 0 if adds_up else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos-cluster", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--rate", type=float, default=300, help="bets a second (default 300)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="seed of all choices")
    parser.add_argument("--minutes", type=float, default=600, help="begin no fault after so many minutes")
    parser.add_argument("--patroni", type=Path, required=True, help="the program")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    return parser


@contextmanager
def _scene(args: argparse.Namespace, folder: Path) -> Iterator[Scene]:
    with made() as machines, ExitStack() as stack:
        database = Database(machines, folder, args.patroni.resolve())
        stack.callback(database.end)
        database.start()
        servers = RedisServers(machines, folder)
        stack.callback(servers.end)
        servers.start()
        house = House(machines, folder, database.url, servers.url)
        stack.callback(house.close)
        house.begin()
        yield Scene(machines, database, servers, house, Random(args.seed))


def _run(args: argparse.Namespace, folder: Path, console: Console) -> Outcome:
    until_s = time.time() + args.minutes * 60
    began_s = time.monotonic()
    with _scene(args, folder) as scene:
        players = max(6, round(args.rate / PLAYER_BETS_PER_S))
        crowd = Crowd(
            scene.house, players=players, bets_per_s=args.rate, seed=args.seed, patient=1.0, make=ReadingPlayer
        )
        failover = Failover(scene, crowd, console)
        with crowd:
            crowd.wait_for_bets(WARM_UP_BETS)
            console.print(f"{players} players play")
            try:
                failover.play(args.faults, until_s)
            except KeyboardInterrupt:
                failover.wrong.append("it was interrupted")
            console.print("settling up")
            crowd.finish(SETTLE_S)
            outcome = _counted(failover, args)
        # Streams end with their server.
        scene.house.end()
        crowd.join()
    outcome.seconds = round(time.monotonic() - began_s)
    return outcome


def _counted(failover: Failover, args: argparse.Namespace) -> Outcome:
    crowd, house = failover.crowd, failover.scene.house
    left = left_behind(house)
    record = record_with_events(house, crowd)
    counting: Counting = count(
        crowd.players, record, credit_cents=house.settings.demo_credit_cents, accounts="accounts"
    )
    for sentence in (*left, *failover.wrong):
        counting.say("faults", sentence)
    counting.sentences += crowd.anomalies
    with house.database() as database:
        stored = stored_entries(database)
    readers = [player for player in crowd.players if isinstance(player, ReadingPlayer)]
    for player in readers:
        counting.sentences += violations(player.history(stored.get(player.user_id, [])))
    audit_into(counting, house, "audit")
    measure(failover.faults, failover.answered_ms())
    in_doubt(failover.faults, crowd.players, record)
    return Outcome(args.seed, args.rate, failover.faults, counting, sum(len(player.reads) for player in readers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
