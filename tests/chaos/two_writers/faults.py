"""What is done to a house on two PostgreSQLs, and how it is made whole again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import psycopg

from tests.chaos.two_writers.servers import DATABASE, Pair
from tests.chaos.two_writers.writers import Writers
from tests.waiting import wait_until

INSIDE = (
    "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted"
    " AND state IN ('active', 'idle in transaction')"
)
"""Whether the writer is in the middle of a commit."""
LOOKS = 500


@dataclass(frozen=True, slots=True)
class Scene:
    """What faults happen to."""

    pair: Pair
    writers: Writers
    random: Random

    def wait(self, least_s: float, most_s: float) -> None:
        """Let a fault last."""
        time.sleep(self.random.uniform(least_s, most_s))


Fault = Callable[[Scene], None]


def writer_killed(scene: Scene) -> None:
    """Kill the writer: its spare takes over at once."""
    scene.writers.send(signal.SIGKILL)


def writer_stopped(scene: Scene) -> None:
    """Stop the writer for longer than its spare waits; then it wakes up."""
    pid = scene.writers.send(signal.SIGSTOP)
    wait_until(lambda: scene.writers.at_work not in (0, pid), 30, what="another writer")
    scene.writers.wake(pid)


def writer_stopped_inside(scene: Scene) -> None:
    """Stop the writer in the middle of a commit, as far as that can be seen."""
    for _ in range(LOOKS):
        if scene.pair.primary.ask(INSIDE, DATABASE):
            break
    writer_stopped(scene)


def session_ended(scene: Scene) -> None:
    """End the writer's session in the middle of a commit: it may stand or not."""
    scene.pair.primary.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted", DATABASE
    )


def primary_killed(scene: Scene) -> None:
    """Lose the primary with all that it has in memory; its standby goes on, and gets a new one."""
    scene.pair.primary.kill()
    scene.pair.fail_over()
    scene.pair.rebuild()


def primary_stopped(scene: Scene) -> None:
    """Stop the primary, let the standby go on, and let the old one wake up and believe that it is one still."""
    zombie = scene.pair.primary
    zombie.signal_all(signal.SIGSTOP)
    scene.pair.fail_over()
    scene.wait(1, 12)
    zombie.signal_all(signal.SIGCONT)
    scene.wait(1, 4)
    scene.pair.rebuild()


def primary_and_writer_killed(scene: Scene) -> None:
    """Lose the primary and the writer together."""
    scene.writers.send(signal.SIGKILL)
    primary_killed(scene)


def standby_killed(scene: Scene) -> None:
    """Lose the standby for some seconds: no bet may be answered meanwhile."""
    scene.pair.standby.kill()
    scene.wait(1, 5)
    scene.pair.standby.start()
    scene.pair.primary.await_standby()


def standby_stopped(scene: Scene) -> None:
    """Stop the standby, at times for longer than a commit is waited for."""
    scene.pair.standby.signal_all(signal.SIGSTOP)
    scene.wait(2, 14)
    scene.pair.standby.signal_all(signal.SIGCONT)


def standby_and_writer_stopped(scene: Scene) -> None:
    """Stop both: the writer's commit waits for a standby that does not answer, and its spare for the writer."""
    scene.pair.standby.signal_all(signal.SIGSTOP)
    pid = scene.writers.send(signal.SIGSTOP)
    scene.wait(2, 8)
    scene.pair.standby.signal_all(signal.SIGCONT)
    scene.wait(1, 6)
    scene.writers.wake(pid)


def replication_cut(scene: Scene) -> None:
    """End the session by which the standby is fed; it begins another."""
    with suppress(psycopg.OperationalError):
        scene.pair.primary.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")


FAULTS: tuple[Fault, ...] = (
    writer_killed,
    writer_stopped,
    writer_stopped_inside,
    session_ended,
    primary_killed,
    primary_stopped,
    primary_and_writer_killed,
    standby_killed,
    standby_stopped,
    standby_and_writer_stopped,
    replication_cut,
)


def name_of(fault: Fault) -> str:
    """Return what a fault is called in tables."""
    return fault.__name__.replace("_", " ")


def chosen(random: Random, count: int) -> list[Fault]:
    """Return so many faults: all kinds as often as each other, in an order of the seed's."""
    faults = [FAULTS[number % len(FAULTS)] for number in range(count)]
    random.shuffle(faults)
    return faults
