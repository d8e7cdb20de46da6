"""The kinds of faults: each begins on the machines as they stand, lasts a while, and is mended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from random import Random

from loadtest.postgres import programs
from tests.chaos.failover.house import HOUSE, House
from tests.chaos.failover.machines import Machines, NoMachines, run
from tests.chaos.failover.patroni import Database, other
from tests.chaos.failover.redis_servers import FIRST, RedisServers
from tests.chaos.kept import Kept

COMMITS = "SELECT coalesce(max(number), 0) FROM commit_rows"


@dataclass(slots=True)
class Scene:
    """What a fault works on."""

    machines: Machines
    database: Database
    redis: RedisServers
    house: House
    random: Random
    unshared: int = 0
    """Commits of a superseded primary that the surviving one has not, of the newest fault."""

    @property
    def primary(self) -> str:
        """The member that is the primary, or was last."""
        return self.database.primary() or "a"

    @property
    def writer(self) -> Kept:
        """The writer that is at work, or was last."""
        return self.house.kept[f"writer-{self.house.writer() or 'a'}"]

    @property
    def redis_primary(self) -> Kept:
        """The Redis that is the primary, or was first."""
        return self.redis.kept[f"redis-{self.redis.primary() or FIRST}"]

    @contextmanager
    def cut(self, *ways: tuple[str, str]) -> Iterator[None]:
        """Let nothing go these ways between machines."""
        for one, two in ways:
            self.machines.block(one, two)
        try:
            yield
        finally:
            self.machines.heal()


Breaking = Callable[[Scene], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault, and how long one of it lasts, in seconds from and to."""

    name: str
    breaking: Breaking
    lasts_s: tuple[float, float] = (0.0, 0.0)


@contextmanager
def kill_primary(scene: Scene) -> Iterator[None]:
    """Kill the primary's server with all its sessions."""
    scene.database.signal(scene.primary, signal.SIGKILL)
    yield


@contextmanager
def kill_writer(scene: Scene) -> Iterator[None]:
    """Kill the writer at work."""
    scene.writer.signal(signal.SIGKILL)
    yield


@contextmanager
def kill_redis(scene: Scene) -> Iterator[None]:
    """Kill Redis's primary, which is back before the sentinels have given it up."""
    scene.redis_primary.signal(signal.SIGKILL)
    yield


@contextmanager
def gone(kept: Kept) -> Iterator[None]:
    """End a service for the length of the block."""
    kept.pause()
    try:
        yield
    finally:
        kept.resume()


@contextmanager
def redis_gone(scene: Scene) -> Iterator[None]:
    """End Redis's primary for a while: a replica is promoted, and has not heard of the last moment."""
    with gone(scene.redis_primary):
        yield


@contextmanager
def stop_redis(scene: Scene) -> Iterator[None]:
    """Let Redis's primary stand still: when it wakes, it is one of two until a sentinel tells it."""
    with standing_still(scene.redis_primary.signal):
        yield


@contextmanager
def kill_both(scene: Scene) -> Iterator[None]:
    """Kill the primary and the writer at work at once."""
    scene.database.signal(scene.primary, signal.SIGKILL)
    scene.writer.signal(signal.SIGKILL)
    yield


@contextmanager
def standing_still(send: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Stop whatever `send` signals, for the length of the block."""
    send(signal.SIGSTOP)
    try:
        yield
    finally:
        send(signal.SIGCONT)


@contextmanager
def stop_writer(scene: Scene) -> Iterator[None]:
    """Let the writer at work stand still, wherever it is."""
    with standing_still(scene.writer.signal):
        yield


@contextmanager
def stop_primary(scene: Scene) -> Iterator[None]:
    """Let the primary's server and all its sessions stand still."""
    with standing_still(partial(scene.database.signal, scene.primary)):
        yield


@contextmanager
def stop_patroni(scene: Scene) -> Iterator[None]:
    """Let the primary's Patroni stand still: past its lease nobody demotes the server, which goes on."""
    name = scene.primary
    with standing_still(scene.database.kept[f"patroni-{name}"].signal):
        yield
        _look_at(scene, name)


@contextmanager
def standby_gone(scene: Scene) -> Iterator[None]:
    """End the standby for a while: bets stop, since nothing may be answered that one machine alone has."""
    name = other(scene.primary)
    with gone(scene.database.kept[f"patroni-{name}"]):
        scene.database.signal(name, signal.SIGKILL)
        yield


@contextmanager
def switch(scene: Scene) -> Iterator[None]:
    """Ask Patroni to make the standby the primary."""
    scene.database.switch()
    yield


@contextmanager
def zombie(scene: Scene) -> Iterator[None]:
    """Cut the primary off from everybody, with a writer beside it; what it holds unshared must never be served."""
    name = scene.primary
    with scene.cut(*(way for far in (other(name), HOUSE) for way in ((name, far), (far, name)))):
        yield
        _look_at(scene, name)


def wrong_clock(whose: str, by_s: int) -> Breaking:
    """Return what steps the clock of our processes on a machine: the writer's, or the house's with the API."""

    @contextmanager
    def breaking(scene: Scene) -> Iterator[None]:
        machine = HOUSE if whose == "house" else scene.house.writer() or "a"
        scene.house.step_clock(machine, by_s)
        try:
            yield
        finally:
            scene.house.step_clock(machine, 0)

    return breaking


def full_disk(whose: str) -> Breaking:
    """Return what fills the disk of the primary, or of its standby."""

    @contextmanager
    def breaking(scene: Scene) -> Iterator[None]:
        primary = scene.primary
        with scene.database.full_disk(primary if whose == "primary" else other(primary)):
            yield

    return breaking


def parted(between: str, ways: str) -> Breaking:
    """Return what parts two machines, both ways or one: `between` is of primary, standby and house two letters."""

    @contextmanager
    def breaking(scene: Scene) -> Iterator[None]:
        primary = scene.primary
        at = {"p": primary, "s": other(primary), "h": HOUSE}
        one, two = at[between[0]], at[between[1]]
        cut = {">": [(one, two)], "<": [(two, one)], "=": [(one, two), (two, one)]}[ways]
        with scene.cut(*cut):
            yield

    return breaking


def _look_at(scene: Scene, name: str) -> None:
    """Count what a primary that may be superseded has committed beyond the other; it can be asked where it is alone."""
    there = scene.machines.within(
        name, [str(programs() / "psql"), "-qAtX", "-U", "house", "-d", "house", "-c", COMMITS]
    )
    with suppress(NoMachines, ValueError, IndexError):
        its = int(run([*there, "-h", scene.machines.address(name)]))
        if scene.database.primary() == other(name):
            theirs = int(scene.database.ask(COMMITS, "house"))
            scene.unshared = max(0, its - theirs)


CUT_S = (4.0, 28.0)
"""Shorter and longer than a lease lasts."""
KINDS = (
    Kind("kill -9 of the primary", kill_primary),
    Kind("kill -9 of the writer", kill_writer),
    Kind("kill -9 of primary and writer", kill_both),
    Kind("kill -9 of Redis's primary", kill_redis),
    Kind("Redis's primary gone", redis_gone, (4.0, 10.0)),
    Kind("SIGSTOP of Redis's primary", stop_redis, (4.0, 10.0)),
    Kind("SIGSTOP of the writer", stop_writer, (3.0, 12.0)),
    Kind("SIGSTOP of the primary", stop_primary, CUT_S),
    Kind("SIGSTOP of the primary's Patroni", stop_patroni, CUT_S),
    Kind("standby gone", standby_gone, (4.0, 10.0)),
    Kind("switchover", switch),
    Kind("primary cut off (zombie)", zombie, (20.0, 30.0)),
    Kind("clock of the writer back", wrong_clock("writer", -15), (4.0, 10.0)),
    Kind("clock of the writer ahead", wrong_clock("writer", 5), (4.0, 10.0)),
    Kind("clock of the house back", wrong_clock("house", -5), (4.0, 10.0)),
    Kind("disk full: primary", full_disk("primary"), (4.0, 15.0)),
    Kind("disk full: standby", full_disk("standby"), (4.0, 15.0)),
    Kind("parted: primary, standby", parted("ps", "="), CUT_S),
    Kind("parted: primary to standby", parted("ps", ">"), CUT_S),
    Kind("parted: standby to primary", parted("ps", "<"), CUT_S),
    Kind("parted: primary, house", parted("ph", "="), CUT_S),
    Kind("parted: primary to house", parted("ph", ">"), CUT_S),
    Kind("parted: house to primary", parted("ph", "<"), CUT_S),
    Kind("parted: standby, house", parted("sh", "="), CUT_S),
    Kind("parted: standby to house", parted("sh", ">"), CUT_S),
    Kind("parted: house to standby", parted("sh", "<"), CUT_S),
)


def chosen(number: int, random: Random) -> Iterator[tuple[Kind, float]]:
    """Yield so many faults with how long they last: all kinds in an order by chance, then all again in another."""
    left: list[Kind] = []
    for _ in range(number):
        left = left or random.sample(KINDS, len(KINDS))
        kind = left.pop()
        yield kind, random.uniform(*kind.lasts_s)
