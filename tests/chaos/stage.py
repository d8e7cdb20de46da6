"""One run: the real system, its players, a fault, and the count when all has come to rest."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event as Flag
from typing import Any

from runtime.messaging import queues, redis_keys
from runtime.messaging.connection import Redis
from tests.acceptance.system import System
from tests.chaos.count import Counting, count
from tests.chaos.crowd import Crowd
from tests.chaos.disk import small_disk
from tests.chaos.record import Record
from tests.chaos.signed import signed_wrong
from tests.interpreter import preferring

PLAYERS = 12
BETS_PER_S = 36.0
SETTLE_S = 90.0
NEWS_S = 40.0
QUEUES_S = 5.0
WARM_UP_BETS = 20
AFTER_BETS = 20
AFTER_S = 90.0


@dataclass(slots=True)
class Stage:
    """What a fault works on."""

    system: System
    crowd: Crowd
    random: Random
    tell: Callable[[str], None]
    kills: Counter[str] = field(default_factory=Counter)
    """SIGKILLs at random moments, by fault."""
    aimed_kills: int = 0
    """SIGKILLs at a chosen moment."""
    wrong: list[str] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        """Let the players go on for a while."""
        Flag().wait(seconds)

    def expect(self, truth: bool, sentence: str) -> None:
        """Note a sentence if it is not true."""
        if not truth:
            self.wrong.append(sentence)


Fault = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault, and what it needs."""

    name: str
    inject: Fault
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    modules: Path | None = None
    """Folder in which every process finds modules before all others."""
    bets_per_s: float = BETS_PER_S
    patient: float = 0.8
    """Share of the bets that wait for their commit; the others are answered 202."""
    disk_bytes: int = 0
    """Size of a disk of its own for the data folder; 0 for none."""


@dataclass(slots=True)
class Result:
    """What one run came to."""

    counting: Counting
    codes: Counter[tuple[int, str]]
    data: Path | None
    """The data folder, kept if something does not add up."""


def run(scenario: Scenario, seed: int, tell: Callable[[str], None], make: Callable[..., System] = System) -> Result:
    """Play, break, mend, wait until all has come to rest, and count."""
    folder = Path(tempfile.mkdtemp(prefix="taptrade-chaos-"))
    data = folder / "data"
    data.mkdir()
    with small_disk(data, scenario.disk_bytes) if scenario.disk_bytes else nullcontext():
        # Nobody ends the players' withdrawals.
        system = make(data, deposit_max_cents="1000000000", withdrawals_pending_max="1000000", **scenario.settings)
        if scenario.modules:
            system.python = preferring(scenario.modules, folder / "python")
        system.start(**scenario.variables)
        try:
            crowd, counting = _play(scenario, system, seed, tell)
            system.stop()
            crowd.join()
        finally:
            system.end()
        audit_into(counting, system, scenario.name)
        if not counting.adds_up and scenario.disk_bytes:
            shutil.copytree(data, folder / "kept", ignore=shutil.ignore_patterns("*.sock"))
    if counting.adds_up:
        shutil.rmtree(folder)
    return Result(counting, crowd.codes(), None if counting.adds_up else folder)


def _play(scenario: Scenario, system: System, seed: int, tell: Callable[[str], None]) -> tuple[Crowd, Counting]:
    crowd = Crowd(system, players=PLAYERS, bets_per_s=scenario.bets_per_s, seed=seed, patient=scenario.patient)
    crowd.fault = scenario.name
    stage = Stage(system, crowd, Random(seed), tell)
    with crowd:
        tell("warming up")
        crowd.wait_for_bets(WARM_UP_BETS)
        scenario.inject(stage)
        tell("waiting for bets after the fault")
        crowd.wait_for_bets(AFTER_BETS, AFTER_S)
        tell("settling up")
        crowd.finish(SETTLE_S)
        for sentence in left_behind(system):
            stage.expect(False, sentence)
        record = record_with_events(system, crowd)
        counting = count(crowd.players, record, credit_cents=system.settings.demo_credit_cents, accounts=scenario.name)
    for name, number in stage.kills.items():
        counting.of(name).kills += number
    counting.of(scenario.name).aimed_kills += stage.aimed_kills
    for sentence in stage.wrong:
        counting.say(scenario.name, sentence)
    counting.sentences += crowd.anomalies
    return crowd, counting


def record_with_events(system: System, crowd: Crowd) -> Record:
    """Read the database, once every stream has told all that it holds or had time enough for it."""

    def caught_up(record: Record) -> bool:
        return not any(player.ear.hearing.missing(record.spots[player.user_id]) for player in crowd.players)

    pause = Flag()
    with system.database() as database:
        for _ in range(int(NEWS_S * 2)):
            if caught_up(Record.read(database)):
                break
            pause.wait(0.5)
        return Record.read(database)


def left_behind(system: System) -> list[str]:
    """Say what is still in the queues when all has come to rest."""
    pause = Flag()
    found: dict[str, int] = {}
    with system.redis() as client:
        for _ in range(int(QUEUES_S * 5)):
            found = {name: number for name, number in _queued(client).items() if number}
            if not found:
                break
            pause.wait(0.2)
    return [f"at rest there are {number} {name}" for name, number in found.items()]


def _queued(client: Redis) -> dict[str, int]:
    backlog: Any = client.get(redis_keys.BACKLOG_BETS)
    counts = {"bets in the backlog": int(backlog or 0)}
    for queue in (queues.BETS, queues.COMMANDS):
        waiting: Any = client.llen(queues.QUEUE_PREFIX + queue)
        counts[f"jobs waiting on {queue}"] = waiting
        for registry in ("wip", "failed"):
            members: Any = client.zcard(f"rq:{registry}:{queue}")
            counts[f"jobs of {queue} in {registry}"] = members
    return counts


def audit_into(counting: Counting, system: System, name: str) -> None:
    """Let the ledger be recounted and each signature be proven; what is found is said of `name`."""
    report = system.audit()
    for sentence in report.faults:
        counting.say(name, f"audit: {sentence}")
    for sentence in signed_wrong(system.settings):
        counting.say(name, sentence)
