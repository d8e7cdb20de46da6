"""`make power-cuts`: record a house under load, cut its power at any moment, bring it up, count what was answered."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from threading import Event as Flag
from typing import Any

import msgspec

from runtime.audit import audit
from runtime.messaging.connection import OUTAGES, Redis, connect
from runtime.messaging.redis_keys import PUBLISHED_COMMIT
from runtime.storage.database import DatabaseError, open_reader
from taptrade import embedded_redis
from tests.acceptance.system import STEADY, System
from tests.chaos.attempts import Attempt
from tests.chaos.crowd import Crowd
from tests.chaos.power.calls import STRACE, Call, read_calls, recording
from tests.chaos.power.disk import Disk
from tests.chaos.record import BETS, BetRow
from tests.waiting import wait_until

PLAYERS = 12
BETS_PER_S = 60.0
RECORDED = ("writer", "feed", "redis")
"""The processes whose files outlive a loss of power."""
SHOWN_MAX = 20
REPORT = Path("build") / "power-cuts.json"
SHARED_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@dataclass(slots=True)
class Recorded:
    """A house under load: what was safe at the beginning, what was done then, and what players were answered."""

    root: Path
    contents: dict[str, bytes]
    calls: list[Call]
    answered: list[Attempt]

    @property
    def span_s(self) -> tuple[float, float]:
        """From when to when it can be cut."""
        return self.calls[0].began_s, max(call.ended_s for call in self.calls)


@dataclass(slots=True)
class Counted:
    """What many cuts came to."""

    cuts: int = 0
    answered: int = 0
    """Bets answered before a cut, over all cuts."""
    lost: int = 0
    unsynced: int = 0
    """Cuts at which something was on its way to the disk."""
    redis_mended: int = 0
    """Cuts after which Redis' file ended in zeros that were cut off."""
    started: int = 0
    """Cuts after which the whole house was started."""
    wrong: list[str] = field(default_factory=list)

    def say(self, moment_s: float, sentence: str) -> None:
        """Note what is wrong after a cut."""
        self.wrong.append(f"cut at {moment_s:.6f}: {sentence}")


def record(folder: Path, seconds: float, seed: int) -> Recorded:
    """Play for a while, and record what the processes with files do to them."""
    house = System(folder / "data", **STEADY)
    contents: dict[str, bytes] = {}

    def copy() -> None:
        os.sync()
        contents.update({str(path): path.read_bytes() for path in lasting(house.data)})

    try:
        house.start()
        with Crowd(house, players=PLAYERS, bets_per_s=BETS_PER_S, seed=seed, patient=1.0) as crowd:
            crowd.wait_for_bets(10)
            pids = [house.pid_of(name) for name in RECORDED]
            with recording(pids, folder / "recorded", copy):
                Flag().wait(seconds)
            answered = [one for player in crowd.players for one in list(player.attempts) if one.acknowledged_ms]
    finally:
        house.end()
    return Recorded(house.data, contents, read_calls(folder / "recorded", contents), answered)


def lasting(data: Path) -> Iterator[Path]:
    """Yield the files that a house finds again after a loss of power."""
    for name in ("taptrade.db", "ticks.db"):
        yield from (data / name, data / f"{name}-wal")
    yield from (data / "redis" / "appendonlydir").iterdir()


def cut(recorded: Recorded, cuts: int, folder: Path, seed: int, *, houses: int = 0, lies: bool = False) -> Counted:
    """Cut the power at random moments; bring databases and Redis up after each, and the whole house after some."""
    random, counted = Random(seed), Counted()
    disk = Disk(recorded.contents, lies=lies)
    moments_s = [random.uniform(*recorded.span_s) for _ in range(cuts)]
    whole = {round((number + 0.5) * cuts / houses) for number in range(houses)} if houses else set()
    for moment_s in disk.play(recorded.calls, moments_s):
        counted.cuts += 1
        counted.unsynced += any(file.pending for file in disk.files.values())
        data = folder / "data"
        for path, content in disk.cut(random).items():
            file = data / Path(path).relative_to(recorded.root)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        newest = count(data, recorded, moment_s, counted)
        bring_redis_up(data, moment_s, newest, counted)
        if counted.cuts in whole:
            start_whole(data, recorded, moment_s, counted)
        shutil.rmtree(data)
    return counted


def count(data: Path, recorded: Recorded, moment_s: float, counted: Counted) -> int:
    """Hold the ledger against what was answered before the cut; return its newest commit."""
    answered = [one for one in recorded.answered if one.acknowledged_ms < int(moment_s * 1000)]
    counted.answered += len(answered)
    try:
        with closing(open_reader(data / "ticks.db")) as ticks:
            if ticks.execute("PRAGMA integrity_check") != [("ok",)]:
                counted.say(moment_s, "ticks.db is damaged")
        with closing(open_reader(data / "taptrade.db")) as ledger:
            report = audit(ledger)
            found = [BetRow(*row) for row in ledger.execute(BETS)]
            stored = {one.id: (one.cell_id, one.amount, one.nonce) for one in found}
    except DatabaseError as ex:
        counted.say(moment_s, f"a database cannot be read: {ex}")
        counted.lost += len(answered)
        return 0
    for finding in report.findings:
        counted.say(moment_s, f"audit: {finding}")
    for one in answered:
        told = one.confirmed[0]
        if stored.get(told.id) != (told.cell_id, told.amount, one.signed.nonce):
            counted.lost += 1
            counted.say(moment_s, f"bet {told.id}, answered at {one.acknowledged_ms}, is not there")
    return report.commits


def bring_redis_up(data: Path, moment_s: float, newest: int, counted: Counted) -> None:
    """Start the server as `taptrade up` does; what it remembers must not be newer than the ledger."""
    with contextlib.redirect_stderr(io.StringIO()):  # it says what it cut off
        url = embedded_redis.prepare(data)
    counted.redis_mended += any((data / "redis").rglob("*.damaged-*"))
    log = data / "redis.log"
    with log.open("wb") as output:
        server = subprocess.Popen(embedded_redis.command(data), stdout=output, stderr=output)
    client = connect(url)
    try:
        wait_until(lambda: _published(client) is not None, 10, what="Redis to read its file")
        published = _published(client) or 0
        if published > newest:
            counted.say(moment_s, f"Redis tells of commit {published}, the ledger ends with {newest}")
    except AssertionError:
        counted.say(moment_s, f"Redis does not start: {log.read_text()[-500:]}")
    finally:
        client.close()
        server.kill()
        server.wait()


def _published(client: Redis) -> int | None:
    with contextlib.suppress(*OUTAGES):
        found: Any = client.get(PUBLISHED_COMMIT)
        return int(found or 0)
    return None


def start_whole(data: Path, recorded: Recorded, moment_s: float, counted: Counted) -> None:
    """Start the house over what the cut has left, until it is well; then stop it and count again."""
    house = System(data, **STEADY)
    try:
        house.start()
        house.stop()
    except AssertionError as ex:
        counted.say(moment_s, f"the house does not start and stop: {ex}")
        return
    finally:
        house.end()
    counted.started += 1
    before = counted.answered
    count(data, recorded, moment_s, counted)
    counted.answered = before


def main(arguments: list[str]) -> int:
    """Record, cut and count; 0 only if nothing is wrong."""
    parser = argparse.ArgumentParser(prog="make power-cuts", description=main.__doc__)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the recording")
    parser.add_argument("--houses", type=int, default=5, help="cuts after which the whole house is started")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--lies", action="store_true", help="play a disk that confirms and does nothing: must fail")
    given = parser.parse_args(arguments)
    if STRACE is None:
        parser.error("strace is not installed; it records what is written and synced")
    with tempfile.TemporaryDirectory(prefix="taptrade-power-") as folder:
        say(f"recording {given.seconds:.0f} s (seed {given.seed})")
        recorded = record(Path(folder), given.seconds, given.seed)
        syncs = sum(call.kind == "sync" for call in recorded.calls)
        say(f"{len(recorded.answered)} bets answered 201, {len(recorded.calls)} calls on files, {syncs} of them syncs")
        with tempfile.TemporaryDirectory(prefix="taptrade-cut-", dir=SHARED_MEMORY) as memory:
            counted = cut(recorded, given.cuts, Path(memory), given.seed, houses=given.houses, lies=given.lies)
    for sentence in counted.wrong[:SHOWN_MAX]:
        say(sentence)
    figures = asdict(counted) | {"wrong": len(counted.wrong), "seed": given.seed}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.encode(figures) + b"\n")
    say(", ".join(f"{name} {value}" for name, value in figures.items()))
    return 1 if counted.wrong else 0


def say(sentence: str) -> None:
    """Write a line."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
