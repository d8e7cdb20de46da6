"""Carry every process's metrics through one Redis hash to the process that is asked for /metrics.

A snapshot that was not renewed for FRESH_MS is a dead process's: it is left out, and removed by the next reader.
"""

from __future__ import annotations

import logging
import os
import re
import resource
import threading
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
WEIGH_EVERY_MS = 30_000
"""For the memory the kernel goes through all pages of the process: a few milliseconds, and the more the larger. Every
ten seconds took 0.3 % of a house's CPU."""
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
    name = f"{snapshot.process}:{snapshot.slot}"
    client.hset(METRICS, f"{name}:{snapshot.machine}" if snapshot.machine else name, msgspec.json.encode(snapshot))


def take(metrics: Metrics, clock: Clock, background: Background) -> Snapshot:
    """Measure this process and return its snapshot."""
    _measure_process(metrics, clock.monotonic_ms())
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
    return sorted(fresh, key=_series)


def gather(client: HashClient, own: Snapshot) -> list[Snapshot]:
    """Return the snapshots of all processes, this one's as it is now; without Redis there is no other."""
    try:
        found = collect(client, own.at_ms)
    except RedisError:
        found = []
    # What this process pushed a moment ago gives way to what it has measured by now.
    return [*(one for one in found if _series(one) != _series(own)), own]


def _series(snapshot: Snapshot) -> tuple[str, int, str]:
    return snapshot.process, snapshot.slot, snapshot.machine


def works_down(snapshots: Iterable[Snapshot]) -> list[str]:
    """Return the background work of all these processes that does not run well."""
    return [
        f"{work} of {snapshot.process} {snapshot.pid}{f' on {snapshot.machine}' if snapshot.machine else ''}"
        for snapshot in snapshots
        for work, up in snapshot.gauges.get("taptrade_background_up", {}).items()
        if not up
    ]


def start_pushing(
    client: HashClient,
    metrics: Metrics,
    clock: Clock,
    outages: tuple[type[Exception], ...],
    background: Background,
    machine: str,
) -> None:
    """Push every PUSH_EVERY_S in the background, as a process of this machine (runtime/machine.py:machine_of)."""
    metrics.machine = machine
    metrics.set("taptrade_process_start_seconds", clock.now_ms() / 1000)

    def once() -> None:
        try:
            push(client, metrics, clock, background)
        except outages as ex:
            logger.debug("metrics wait for Redis: %s", ex)

    background.repeat("metrics", once, PUSH_EVERY_S)


class StandingBy:
    """Tells that a process lives which waits to be at work; to be called again and again while it waits."""

    def __init__(self, process: str, machine: str, client: HashClient, clock: Clock, slot: int = 0) -> None:
        self._metrics = Metrics(process, slot)
        self._metrics.machine, self._metrics.standing_by = machine, True
        self._metrics.set("taptrade_process_start_seconds", clock.now_ms() / 1000)
        self._client, self._clock = client, clock
        self._background = Background(threading.Event(), clock, self._metrics)
        self._due_ms = 0

    def __call__(self) -> None:
        """Tell so if it is time to; raise what Redis raises."""
        now_ms = self._clock.monotonic_ms()
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + int(PUSH_EVERY_S * 1000)
            push(self._client, self._metrics, self._clock, self._background)


def _measure_process(metrics: Metrics, steady_ms: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics.set("taptrade_process_cpu_seconds", round(usage.ru_utime + usage.ru_stime, 3))
    try:
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
        if metrics.weighed_ms is None or steady_ms - metrics.weighed_ms >= WEIGH_EVERY_MS:
            metrics.weighed_ms = steady_ms
            memory = _SHARE.search(Path("/proc/self/smaps_rollup").read_text(encoding="ascii"))
            metrics.set("taptrade_process_memory_bytes", int(memory[1]) * 1024 if memory else 0)
    except FileNotFoundError:  # no /proc outside Linux
        return
    metrics.set("taptrade_process_open_files", files)
