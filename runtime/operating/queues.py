"""The queues as RQ keeps them: what waits, what is begun, what failed, and who works on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from runtime.messaging.connection import Redis
from runtime.messaging.queues import BETS, COMMANDS, JOBS, QUEUE_PREFIX, SETTLE

SHOWN = (BETS, COMMANDS, SETTLE, JOBS)
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


def read_queues(client: Redis) -> list[QueueView]:
    """Ask Redis in two round trips."""
    pipe = client.pipeline(transaction=False)
    for name in SHOWN:
        pipe.llen(QUEUE_PREFIX + name)
        pipe.zcard(f"rq:wip:{name}")
        pipe.zcard(f"rq:failed:{name}")
        pipe.smembers(f"rq:workers:{name}")
    found: list[Any] = pipe.execute()
    of_queue = {name: found[4 * at : 4 * at + 4] for at, name in enumerate(SHOWN)}
    keys = sorted({key for *_, workers in of_queue.values() for key in workers})[:WORKERS_MAX]
    workers = _read_workers(client, keys)
    return [
        QueueView(name, waiting, started, failed, [workers[key] for key in sorted(members) if key in workers])
        for name, (waiting, started, failed, members) in of_queue.items()
    ]


def oldest_waits_s(client: Redis, now_ms: int) -> dict[str, float]:
    """Return how long the oldest job of each queue has waited, 0 where none waits."""
    pipe = client.pipeline(transaction=False)
    for name in SHOWN:
        pipe.lindex(QUEUE_PREFIX + name, 0)
    first: list[bytes | None] = pipe.execute()
    for job_id in first:
        pipe.hget(f"rq:job:{(job_id or b'').decode()}", "enqueued_at")
    return {
        name: max(0.0, now_ms / 1000 - datetime.fromisoformat(since.decode()).timestamp()) if since else 0.0
        for name, since in zip(SHOWN, pipe.execute(), strict=True)
    }


def _read_workers(client: Redis, keys: list[bytes]) -> dict[bytes, WorkerView]:
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.hmget(key, "state", "last_heartbeat")
    return {
        key: WorkerView(key.decode().removeprefix("rq:worker:"), state.decode(), seen.decode() if seen else None)
        for key, (state, seen) in zip(keys, pipe.execute(), strict=True)
        if state is not None  # one that died is still on the list for a while
    }
