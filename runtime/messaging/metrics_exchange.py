"""Carry every process's metrics through one Redis hash to the process that is asked for /metrics.

A snapshot that was not renewed for FRESH_MS is a dead process's: it is left out, and removed by the next reader.
"""

from __future__ import annotations

import logging
import os
import re
import resource
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from runtime.background import Background
from runtime.clock import Clock
from runtime.messaging.connection import RedisError
from runtime.messaging.redis_keys import METRICS
from runtime.metrics.table import Metrics, Snapshot

logger = logging.getLogger(__name__)

_SHARE = re.compile(r"^Pss: +([0-9]+) kB$", re.MULTILINE)
PUSH_EVERY_S = 2.0
FRESH_MS = 15_000

_decoder = msgspec.json.Decoder(Snapshot)


class HashClient(Protocol):
    """The calls that are needed of a Redis client."""

    def hset(self, name: str, key: str, value: bytes) -> object:
        """Set one field of a hash."""
        ...

    def hgetall(self, name: str) -> Any:
        """Return a hash."""
        ...

    def hdel(self, name: str, *keys: bytes) -> object:
        """Remove fields of a hash."""
        ...


def push(client: HashClient, metrics: Metrics, clock: Clock, background: Background) -> None:
    """Write this process's snapshot, over that of the one before it."""
    snapshot = take(metrics, clock, background)
    client.hset(METRICS, f"{snapshot.process}:{snapshot.slot}", msgspec.json.encode(snapshot))


def take(metrics: Metrics, clock: Clock, background: Background) -> Snapshot:
    """Measure this process and return its snapshot."""
    _measure_process(metrics)
    for work, is_up in background.up().items():
        metrics.set("taptrade_background_up", int(is_up), work)
    return metrics.snapshot(os.getpid(), clock.now_ms())


def collect(client: HashClient, now_ms: int) -> list[Snapshot]:
    """Read the snapshots of all processes that live, in a steady order."""
    fresh: list[Snapshot] = []
    gone: list[bytes] = []
    for name, data in client.hgetall(METRICS).items():
        snapshot = _decoder.decode(data)
        if now_ms - snapshot.at_ms > FRESH_MS:
            gone.append(name)
        else:
            fresh.append(snapshot)
    if gone:
        client.hdel(METRICS, *gone)
    return sorted(fresh, key=lambda one: (one.process, one.slot))


def gather(client: HashClient, own: Snapshot) -> list[Snapshot]:
    """Return the snapshots of all processes, this one's as it is now; without Redis there is no other."""
    try:
        found = collect(client, own.at_ms)
    except RedisError:
        found = []
    # What this process pushed a moment ago gives way to what it has measured by now.
    return [*(one for one in found if (one.process, one.slot) != (own.process, own.slot)), own]


def works_down(snapshots: Iterable[Snapshot]) -> list[str]:
    """Return the background work of all these processes that does not run well."""
    return [
        f"{work} of {snapshot.process} {snapshot.pid}"
        for snapshot in snapshots
        for work, up in snapshot.gauges.get("taptrade_background_up", {}).items()
        if not up
    ]


def start_pushing(
    client: HashClient, metrics: Metrics, clock: Clock, outages: tuple[type[Exception], ...], background: Background
) -> None:
    """Push every PUSH_EVERY_S in the background."""
    metrics.set("taptrade_process_start_seconds", clock.now_ms() / 1000)

    def once() -> None:
        try:
            push(client, metrics, clock, background)
        except outages as ex:
            logger.debug("metrics wait for Redis: %s", ex)

    background.repeat("metrics", once, PUSH_EVERY_S)


def _measure_process(metrics: Metrics) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics.set("taptrade_process_cpu_seconds", round(usage.ru_utime + usage.ru_stime, 3))
    try:
        memory = _SHARE.search(Path("/proc/self/smaps_rollup").read_text(encoding="ascii"))
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except FileNotFoundError:  # no /proc outside Linux
        return
    metrics.set("taptrade_process_memory_bytes", int(memory[1]) * 1024 if memory else 0)
    metrics.set("taptrade_process_open_files", files)
