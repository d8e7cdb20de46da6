"""The queues as RQ keeps them: what waits, what is begun, what failed, and who works on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.messaging.connection import Redis
from runtime.messaging.queues import (
    BETS,
    COMMANDS,
    FAILED_PREFIX,
    JOB_PREFIX,
    JOBS,
    QUEUE_PREFIX,
    QUEUES_KEY,
    SETTLE,
    STARTED_PREFIX,
    is_of_writer,
    of_shard,
    rq_time_ms,
)

SHOWN = (BETS, COMMANDS, SETTLE, JOBS)
"""The house's own."""
WORKERS_MAX = 50


class WorkerView(msgspec.Struct, frozen=True):
    """A worker of a queue, as it says of itself."""

    name: str
    state: str
    last_seen_at: str | None


class QueueView(msgspec.Struct, frozen=True):
    """A queue: its jobs that wait, are begun and have failed, and its workers."""

    name: str
    waiting: int
    started: int
    failed: int
    workers: list[WorkerView]


def house_queues(shards: int) -> tuple[str, ...]:
    """Return the house's own queues: each writer has two."""
    return (*SHOWN, *(of_shard(name, shard) for shard in range(2, shards + 1) for name in (COMMANDS, BETS)))


def is_of_house(name: str) -> bool:
    """Tell whether a queue is the house's own."""
    return name in SHOWN or is_of_writer(name)


def function_queues(client: Redis) -> tuple[str, ...]:
    """Return the queues of functions by name, of those that anything has been put on since Redis began."""
    known: set[bytes] = client.smembers(QUEUES_KEY)  # type: ignore[assignment]
    names = {key.decode().removeprefix(QUEUE_PREFIX) for key in known}
    return tuple(sorted(name for name in names if not is_of_house(name)))


def read_queues(client: Redis, names: Sequence[str]) -> list[QueueView]:
    """Ask Redis in two round trips."""
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.llen(QUEUE_PREFIX + name)
        pipe.zcard(STARTED_PREFIX + name)
        pipe.zcard(FAILED_PREFIX + name)
        pipe.smembers(f"rq:workers:{name}")
    found: list[Any] = pipe.execute()
    of_queue = {name: found[4 * at : 4 * at + 4] for at, name in enumerate(names)}
    keys = sorted({key for *_, workers in of_queue.values() for key in workers})[:WORKERS_MAX]
    workers = _read_workers(client, keys)
    return [
        QueueView(name, waiting, started, failed, [workers[key] for key in sorted(members) if key in workers])
        for name, (waiting, started, failed, members) in of_queue.items()
    ]


def oldest_waiting_ms(client: Redis, names: Sequence[str]) -> dict[str, int]:
    """Return when the first job of each queue that has any came to wait, in two round trips."""
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.lindex(QUEUE_PREFIX + name, 0)
    first = {name: job for name, job in zip(names, pipe.execute(), strict=True) if job is not None}
    for job in first.values():
        pipe.hget(JOB_PREFIX + job.decode(), "enqueued_at")
    came = zip(first, pipe.execute(), strict=True)
    return {name: rq_time_ms(at) for name, at in came if at}


def _read_workers(client: Redis, keys: list[bytes]) -> dict[bytes, WorkerView]:
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.hmget(key, "state", "last_heartbeat")
    return {
        key: WorkerView(key.decode().removeprefix("rq:worker:"), state.decode(), seen.decode() if seen else None)
        for key, (state, seen) in zip(keys, pipe.execute(), strict=True)
        if state is not None  # one that died is still on the list for a while
    }
