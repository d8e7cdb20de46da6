"""What Redis still carries of a bet, a job or a commit: it keeps none of it for long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from runtime.game.shards import shard_of
from runtime.messaging.connection import Redis
from runtime.messaging.queues import (
    FAILED_PREFIX,
    JOB_PREFIX,
    QUEUE_PREFIX,
    QUEUES_KEY,
    STARTED_PREFIX,
    decode_job,
    is_of_writer,
    rq_time_ms,
)
from runtime.messaging.redis_keys import BUS_COMMITS, of_shard, pending
from runtime.messaging.redis_values import PendingBet
from taptrade.traced import Step

TOLD_WITHIN_MS = 5_000
JOBS_LOOKED_AT_MAX = 500
ENTRIES_AT_ONCE = 20


def job_steps(client: Redis, job_id: str) -> tuple[list[Step], list[str]]:
    """Return what a job in Redis tells of itself, and the commands in it; nothing where there is none."""
    wanted = ("status", "origin", "description", "enqueued_at", "started_at", "ended_at", "worker_name", "data")
    kept: Any = client.hmget(JOB_PREFIX + job_id, wanted)
    status, origin, described, *times, worker, data = kept
    if status is None:
        return [], []
    about = f"job {job_id} on {_text(origin)}: {_text(described)}, {_text(status)}"
    whats = (about, f"taken by {_text(worker) or 'a worker'}", f"ended, {_text(status)}")
    parts = ("queue", _text(worker).partition("-")[0] or "queue", "queue")
    found = [
        Step(rq_time_ms(at), part, what)
        for at, part, what in zip(times, parts, whats, strict=True)
        if at not in (None, b"")
    ]
    return found, _commands(data)


def jobs_carrying(client: Redis, command_id: str) -> list[str]:
    """Return the jobs that wait, are begun or have failed and carry a command; the first so many are looked at."""
    found = []
    known: Any = client.smembers(QUEUES_KEY)
    for queue in sorted(name for key in known if is_of_writer(name := key.decode().removeprefix(QUEUE_PREFIX))):
        waiting: Any = client.lrange(QUEUE_PREFIX + queue, 0, JOBS_LOOKED_AT_MAX - 1)
        begun: Any = client.zrange(STARTED_PREFIX + queue, 0, JOBS_LOOKED_AT_MAX - 1)
        failed: Any = client.zrange(FAILED_PREFIX + queue, -JOBS_LOOKED_AT_MAX, -1)
        for member in (*waiting, *begun, *failed):
            job_id = member.decode().partition(":")[0]
            if command_id in _commands(client.hget(JOB_PREFIX + job_id, "data")):
                found.append(job_id)
    return list(dict.fromkeys(found))


def pending_steps(client: Redis, bet_id: str) -> list[Step]:
    """Return until when a bet may come that is on its way."""
    value: Any = client.get(pending(bet_id))
    if value is None:
        return []
    on_its_way = PendingBet.decode(value)
    said = f"bet {bet_id} of {on_its_way.user_id} is on its way; it may be committed until now"
    return [Step(on_its_way.decided_by_ms, "queue", said)]


def told_at_ms(client: Redis, commits: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return when the stream was told of commits, given as (number, time), as far as the bus still has them."""
    found = {}
    for number, at_ms in commits:
        cursor: str | bytes = str(at_ms)
        bus = of_shard(BUS_COMMITS, shard_of(number))
        while entries := client.xrange(bus, cursor, str(at_ms + TOLD_WITHIN_MS), count=ENTRIES_AT_ONCE):
            known: Any = entries
            numbers = {int(fields[b"commit"]): int(id_.partition(b"-")[0]) for id_, fields in known}
            if number in numbers:
                found[number] = numbers[number]
            if number <= max(numbers):
                break
            cursor = b"(" + known[-1][0]
    return found


def _commands(data: Any) -> list[str]:
    try:
        return [command.id for command in decode_job(data).commands] if data else []
    except msgspec.MsgspecError:  # a periodic job of RQ's
        return []


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode(errors="replace")
