"""How the house does at one moment, every part asked by itself: one that is away is told of, and the rest is known."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from runtime.clock import Clock, rfc3339
from runtime.errors import Unavailable
from runtime.game.ledger import SQL
from runtime.game.player_entries import Execute
from runtime.health.status import Check, SystemStatus, newest_commit, read_jobs, read_status, system_checks
from runtime.messaging.connection import Redis, RedisError, seen_of
from runtime.messaging.metrics_exchange import collect, works_down
from runtime.messaging.redis_values import AuditResult, JobSeen
from runtime.metrics.table import Snapshot
from runtime.operating.exposure import read_exposure, settlement_lag_ms
from runtime.operating.feed import FeedView, feed_view
from runtime.operating.pace import Pace, read_pace
from runtime.operating.queues import QueueView, function_queues, house_queues, oldest_waiting_ms, read_queues
from runtime.postgresql import choice
from runtime.records.queries import QUERIES
from runtime.settings import Settings
from runtime.storage.backups import FOLDER, Backup, newest_backup
from runtime.storage.database import DatabaseError
from runtime.storage.read_pool import ReadPool
from runtime.version import build
from taptrade import alive, running
from taptrade.announce import ask
from taptrade.latencies import Latencies, Latency

T = TypeVar("T")


class ProcessSeen(msgspec.Struct, frozen=True):
    """One process as it measures itself; of those that serve the API there are several."""

    name: str
    pid: int
    up_s: int
    memory_bytes: int
    cpu_s: float
    machine: str = ""
    """Where it runs, where there may be several machines."""
    standing_by: bool = False
    """It waits for another of its kind to end."""
    functions_version: int | None = None
    """The version of the functions that it serves; None of a process that serves none."""


class Owed(msgspec.Struct, frozen=True):
    """What the house owes and may come to owe, in cents."""

    balances_cents: int
    withdrawals_pending: int
    withdrawals_pending_cents: int
    open_bets: int
    open_payout_cents: int
    """What the open bets pay if all of them win."""
    complete: bool
    """Whether all open bets are counted in; if not, there are more."""


class Disk(msgspec.Struct, frozen=True):
    """The disk of the data folder, and what of it the databases take."""

    used_percent: int
    free_bytes: int
    database_bytes: int
    log_bytes: int
    ticks_bytes: int


class HouseStatus(msgspec.Struct, frozen=True):
    """The house at one moment; what could not be asked is None, and `troubles` says why."""

    at: str
    at_ms: int
    ok: bool
    troubles: list[str]
    version: str
    mode: str | None
    up_s: int | None
    checks: dict[str, Check]
    processes: list[ProcessSeen]
    down: dict[str, str]
    """The processes that do not do their work, each with what was seen of it."""
    feed: FeedView | None
    breaker: dict[str, Any] | None
    queues: list[QueueView] | None
    """The house's own, and behind them those of functions."""
    queue_ages_ms: dict[str, int] | None
    """How long the first job of a queue has waited, for those in which any waits."""
    bets: Pace | None
    latencies: dict[str, Latency]
    settlement_lag_ms: int | None
    """How long ago the oldest column ended that still has open bets."""
    owed: Owed | None
    jobs: dict[str, JobSeen] | None
    """When each periodic job last went well, and after how many seconds it is overdue."""
    replica_ages_ms: dict[str, int] | None
    """How old what is committed and not in the replica yet may be, by database; none where there is no replica."""
    backup: Backup | None
    audit: AuditResult | None
    archived_ms: int | None
    disk: Disk | None


class HouseLook:
    """Look at the house again and again."""

    def __init__(self, settings: Settings, client: Redis, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._pool = choice.read_pool(settings, clock)
        self._latencies = Latencies()
        self._shards = 1
        self._pools: list[ReadPool] = []

    def now(self) -> HouseStatus:
        """Ask every part once."""
        now_ms, settings = self._clock.now_ms(), self._settings
        self._shards = self._books(lambda: choice.shards_of(settings)) or self._shards
        status = read_status(self._client, now_ms, self._shards)
        snapshots = self._redis(lambda: collect(self._client, now_ms)) or []
        queues = (*house_queues(self._shards), *(self._redis(lambda: function_queues(self._client)) or ()))
        checks = system_checks(status, newest_commit(self._pool), works_down(snapshots), seen_of(self._client))
        down = self._down(redis_answers=status is not None)
        processes = [_process(one, now_ms) for one in snapshots]
        up_s = max((one.up_s for one in processes), default=None)
        audit = status.audit if status else None
        jobs = self._redis(lambda: read_jobs(self._client))
        troubles = [
            *(f"{part}: {check.detail}" for part, check in checks.items() if not check.ok),
            *(f"{name}: {said}" for name, said in down.items()),
            *_late(jobs or {}, audit, now_ms),
        ]
        return HouseStatus(
            at=rfc3339(now_ms),
            at_ms=now_ms,
            ok=not troubles,
            troubles=troubles,
            version=build().version,
            mode=self._mode(),
            up_s=up_s,
            checks=checks,
            processes=processes,
            down=down,
            feed=_feed(status, now_ms) if status else None,
            breaker=status.breaker.to_dict() if status else None,
            queues=self._redis(lambda: read_queues(self._client, queues)),
            queue_ages_ms=self._queue_ages_ms(queues, now_ms),
            bets=self._books(lambda: read_pace(self._ledgers(), status.backlog_bets if status else 0, now_ms)),
            latencies=self._latencies.of(snapshots, self._clock.monotonic_ms()),
            settlement_lag_ms=self._books(lambda: self._settlement_lag_ms(now_ms)),
            owed=self._books(self._owed),
            jobs=jobs,
            replica_ages_ms=self._replica_ages_ms(status, now_ms) if status else None,
            backup=newest_backup(settings.data / FOLDER),
            audit=audit,
            archived_ms=status.archived_ms if status else None,
            disk=_disk(settings),
        )

    def _ledgers(self) -> list[Execute]:
        """Return what reads each ledger of the house; opened when there is one more."""
        for shard in range(len(self._pools) + 1, self._shards + 1):
            self._pools.append(choice.read_pool(self._settings, self._clock, shard=shard))
        return [pool.execute for pool in self._pools]

    def _redis(self, look: Callable[[], T]) -> T | None:
        try:
            return look()
        except RedisError:
            return None

    def _books(self, look: Callable[[], T]) -> T | None:
        try:
            return look()
        except (DatabaseError, Unavailable):
            return None

    def _down(self, *, redis_answers: bool) -> dict[str, str]:
        probes = dict(alive.WORKS)
        if not self._is_elsewhere():
            probes |= {"api": alive.PROBES["api"], "dashboard": alive.PROBES["dashboard"]}
        if not has_replica(self._settings):
            del probes["replica"]
        if not redis_answers:
            probes = {name: probe for name, probe in probes.items() if probe is not alive.WORKS.get(name)}
        seen = {name: probe(self._settings, self._clock) for name, probe in probes.items()}
        return {name: said for name, said in seen.items() if said}

    def _is_elsewhere(self) -> bool:
        """Tell whether the processes are in other containers: then only what they say in Redis is known."""
        return bool(self._settings.redis_url) and running.find(self._settings.data) is None

    def _mode(self) -> str | None:
        """Ask the API: this terminal's settings need not be those of the run, but those of a container are."""
        _, answer = ask(running.find_unless_told(self._settings) or self._settings, "/healthz")
        try:
            return str(msgspec.json.decode(answer)["mode"])
        except (msgspec.DecodeError, KeyError, TypeError):
            return self._settings.mode if self._is_elsewhere() else None

    def _queue_ages_ms(self, queues: Sequence[str], now_ms: int) -> dict[str, int] | None:
        came = self._redis(lambda: oldest_waiting_ms(self._client, queues))
        return None if came is None else {name: max(0, now_ms - at_ms) for name, at_ms in came.items()}

    def _settlement_lag_ms(self, now_ms: int) -> int:
        # As the open bets have it: the setting of this terminal may be another.
        known = self._pool.execute(SQL["column_seconds"])
        width_s: int = known[0][0] if known else self._settings.column_seconds
        return settlement_lag_ms(self._pool.execute, width_s, now_ms)

    def _replica_ages_ms(self, status: SystemStatus, now_ms: int) -> dict[str, int]:
        shipped = status.replica_until_ms if has_replica(self._settings) else {}
        return {name: max(0, now_ms - until_ms) for name, until_ms in shipped.items()}

    def _owed(self) -> Owed:
        ((balances, pending, pending_cents),) = self._pool.execute(QUERIES["owed"])
        exposed = read_exposure(self._pool.execute)
        return Owed(balances, pending, pending_cents, exposed.bets, exposed.payout_cents, exposed.complete)


def has_replica(settings: Settings) -> bool:
    """Tell whether the house ships to a replica: by this terminal's settings, or as the run here was started."""
    try:
        started = (settings.data / "run" / "supervisord.conf").read_text(encoding="utf-8")
    except OSError:
        started = ""
    return bool(settings.replica_url) or "[program:replica]" in started


def _feed(status: SystemStatus, now_ms: int) -> FeedView:
    # Its kind is told by the sources that run: the settings of this terminal may be others.
    names = (one.name for one in status.sources.sources) if status.sources else ()
    return feed_view(",".join(sorted(names)), status.sources, status.tick_age_ms, now_ms)


def _process(one: Snapshot, now_ms: int) -> ProcessSeen:
    def gauge(name: str) -> float:
        return one.gauges.get(name, {}).get("", 0.0)

    up_s = max(0, round(now_ms / 1000 - gauge("taptrade_process_start_seconds")))
    memory_bytes = int(gauge("taptrade_process_memory_bytes"))
    served = one.gauges.get("taptrade_functions_version", {}).get("")
    version = None if served is None else int(served)
    cpu_s = gauge("taptrade_process_cpu_seconds")
    return ProcessSeen(one.process, one.pid, up_s, memory_bytes, cpu_s, one.machine, one.standing_by, version)


def _late(jobs: Mapping[str, JobSeen], audit: AuditResult | None, now_ms: int) -> list[str]:
    """Say which periodic jobs should have gone well by now, and what the audit has found."""
    overdue = [name for name, seen in jobs.items() if now_ms - seen.since_ms > seen.overdue_s * 1000]
    found = [f"job {name}: has not gone well since {rfc3339(jobs[name].since_ms)}" for name in sorted(overdue)]
    return [*found, *([f"audit: {audit.summary}"] if audit and audit.findings else [])]


def _disk(settings: Settings) -> Disk | None:
    try:
        disk = shutil.disk_usage(settings.data)
    except OSError:
        return None
    log = settings.database.with_name(settings.database.name + "-wal")
    sizes = map(_size, (settings.database, log, settings.ticks_database))
    return Disk(round(100 * (disk.total - disk.free) / disk.total), disk.free, *sizes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
