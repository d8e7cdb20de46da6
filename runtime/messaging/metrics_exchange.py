"""Carry every process's metrics through one Redis hash to the process that is asked for /metrics.

A snapshot that was not renewed for FRESH_MS is a dead process's: it is left out, and removed by the next reader.
"""

from __future__ import annotations

import logging
import os
import resource
import threading
from pathlib import Path
from typing import Any, Protocol

import msgspec

from runtime.clock import Clock
from runtime.messaging.redis_keys import METRICS
from runtime.metrics.table import Metrics, Snapshot

logger = logging.getLogger(__name__)

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


def push(client: HashClient, metrics: Metrics, clock: Clock) -> None:
    """Write this process's snapshot."""
    pid = os.getpid()
    client.hset(METRICS, f"{metrics.process}:{pid}", msgspec.json.encode(take(metrics, clock)))


def take(metrics: Metrics, clock: Clock) -> Snapshot:
    """Measure this process and return its snapshot."""
    _measure_process(metrics)
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
    return sorted(fresh, key=lambda one: (one.process, one.pid))


def start_pushing(
    client: HashClient, metrics: Metrics, clock: Clock, outages: tuple[type[Exception], ...], stop: threading.Event
) -> threading.Thread:
    """Push every PUSH_EVERY_S from a thread (under gevent: a greenlet) until `stop` is set."""
    metrics.set("taptrade_process_start_seconds", clock.now_ms() / 1000)
    thread = threading.Thread(target=_push_until, args=(client, metrics, clock, outages, stop), daemon=True)
    thread.start()
    return thread


def _push_until(
    client: HashClient, metrics: Metrics, clock: Clock, outages: tuple[type[Exception], ...], stop: threading.Event
) -> None:
    while True:
        try:
            push(client, metrics, clock)
        except outages as ex:
            logger.debug("metrics wait for Redis: %s", ex)
        if stop.wait(PUSH_EVERY_S):
            return


def _measure_process(metrics: Metrics) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics.set("taptrade_process_cpu_seconds", round(usage.ru_utime + usage.ru_stime, 3))
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except FileNotFoundError:  # no /proc outside Linux
        return
    metrics.set("taptrade_process_memory_bytes", pages * resource.getpagesize())
    metrics.set("taptrade_process_open_files", files)
