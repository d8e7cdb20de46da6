"""The writer's side of RQ: jobs taken whole, kept as started until they are committed, failed with a reason.

A job is at every moment in the queue's list, in RQ's registry of started jobs, or done: this process holds no job that
Redis does not. Those that a dead writer had taken stay in the registry and come first when a writer starts.
"""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus

from runtime.messaging import redis_keys
from runtime.messaging.commands import Batch
from runtime.messaging.connection import Redis
from runtime.messaging.queues import (
    BETS,
    COMMANDS,
    JOB_PREFIX,
    QUEUE_PREFIX,
    STARTED_PREFIX,
    decode_job,
    load_script,
    of_shard,
    rq_time,
)

logger = logging.getLogger(__name__)

INTERMEDIATE = ":intermediate"
WORKER_TTL_S = 60
COMMANDS_SLICE = 20
BETS_SLICE = 500
"""What one iteration takes from each queue, in whole jobs. Bets share pages, and a commit writes each page
once: one of 500 takes two thirds of the time that one of 200 takes."""
FAILED_BATCH_TTL_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class TakenJob:
    """A job in the writer's hands: its batch, or why it cannot be read."""

    id: str
    queue: str
    commands: int
    batch: Batch | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Collected:
    """What one look at the queues brought: jobs, whether more of them wait, and the newest tick as it was published."""

    commands: list[TakenJob]
    bets: list[TakenJob]
    more: bool
    tick: bytes | None


class Inbox:
    """Take jobs, end jobs, and be an RQ worker that dashboards can see."""

    def __init__(self, client: Redis, shard: int = 1) -> None:
        self.client = client
        self.shard = shard
        self._queues = (of_shard(COMMANDS, shard), of_shard(BETS, shard))
        self._backlog_key = redis_keys.of_shard(redis_keys.BACKLOG_BETS, shard)
        self._wake_key = redis_keys.of_shard(redis_keys.WRITER_WAKE, shard)
        self.worker = SimpleWorker(
            [Queue(name, connection=client, serializer=JSONSerializer) for name in self._queues],
            name=f"writer-{os.getpid()}-{secrets.token_hex(3)}",
            connection=client,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_S,
        )
        self._collect = load_script(client, "collect")
        self._finish = load_script(client, "finish")
        self.publish_script = load_script(client, "publish")
        self._recount = load_script(client, "recount")

    def is_for_bets(self, job: TakenJob) -> bool:
        """Tell whether a job is of the queue of bets."""
        return job.queue == self._queues[1]

    def open(self) -> list[TakenJob]:
        """Show up as a worker, count the backlog anew and return the jobs that are begun, oldest first."""
        if not self.client.exists(self.worker.key):
            self.worker.register_birth()  # type: ignore[no-untyped-call]
        self.worker.set_state(WorkerStatus.IDLE)
        # A pipeline cannot load scripts that it calls by their digests, and a Redis that was restarted has none.
        for script in (self._collect, self._finish):
            self.client.script_load(script.script)
        left = [job for name in self._queues for job in self._left_behind(name)]
        self.recount()
        if left:
            logger.warning("took up %d jobs that were begun and not ended", len(left))
        return left

    def strays(self) -> list[TakenJob]:
        """Take over what another writer has begun: whoever calls this is the only one."""
        found = []
        for name in self._queues:
            members: Any = self.client.zrange(STARTED_PREFIX + name, 0, -1)
            own = f":{self.worker.name}".encode()
            found += [self._taken_over(name, member) for member in members if not member.endswith(own)]
        if found:
            logger.warning("took over %d jobs that another writer had begun", len(found))
        return found

    def _taken_over(self, name: str, member: bytes) -> TakenJob:
        job_id = member.decode().partition(":")[0]
        with self.client.pipeline() as pipeline:
            pipeline.zrem(STARTED_PREFIX + name, member)
            pipeline.zadd(STARTED_PREFIX + name, {f"{job_id}:{self.worker.name}": "+inf"})
            pipeline.execute()
        data: Any = self.client.hget(JOB_PREFIX + job_id, "data")
        return _read(job_id, name, data or b"", self._commands_of(job_id))

    def recount(self) -> None:
        """Count the backlog anew, in one step of Redis: jobs may have been taken away or put back by hand."""
        _, bets = self._queues
        keys = [QUEUE_PREFIX + bets, STARTED_PREFIX + bets, self._backlog_key]
        self._recount(keys=keys, args=[JOB_PREFIX])

    def _left_behind(self, name: str) -> list[TakenJob]:
        started = STARTED_PREFIX + name
        members: Any = self.client.zrange(started, 0, -1)
        stranded: Any = self.client.lrange(QUEUE_PREFIX + name + INTERMEDIATE, 0, -1)
        ids = {member.decode().split(":")[0] for member in members} | {job_id.decode() for job_id in stranded}
        jobs = []
        for job_id in sorted(ids):
            data: Any = self.client.hget(JOB_PREFIX + job_id, "data")
            jobs.append(_read(job_id, name, data or b"", self._commands_of(job_id)))
        with self.client.pipeline() as pipeline:
            pipeline.delete(started, QUEUE_PREFIX + name + INTERMEDIATE)
            for job_id in ids:
                pipeline.zadd(started, {f"{job_id}:{self.worker.name}": "+inf"})
            pipeline.execute()
        return jobs

    def _commands_of(self, job_id: str) -> int:
        return int(self.client.hget(JOB_PREFIX + job_id, "commands") or 1)

    def collect(self, now_ms: int, *, wait_s: float = 0) -> Collected:
        """Take waiting jobs, a slice of commands and a batch of bets, and read the newest tick: one round trip.

        With `wait_s` Redis answers as soon as a job is queued, or after that time.
        """
        keys: list[str] = [redis_keys.TICK_LATEST]
        for name in self._queues:
            keys += (QUEUE_PREFIX + name, STARTED_PREFIX + name)
        arguments: list[Any] = [
            self.worker.name,
            rq_time(now_ms),
            JOB_PREFIX,
            COMMANDS_SLICE,
            BETS_SLICE,
        ]
        if wait_s:
            with self.client.pipeline(transaction=False) as pipeline:
                pipeline.blpop([self._wake_key], timeout=wait_s)
                pipeline.evalsha(self._collect.sha, len(keys), *keys, *arguments)
                tick, commands, bets = pipeline.execute()[1]
        else:
            tick, commands, bets = self._collect(keys=keys, args=arguments)
        of_commands, of_bets = self._queues
        more = bool(commands[0] or bets[0])
        return Collected(_read_all(of_commands, commands), _read_all(of_bets, bets), more, tick)

    def ends(self, jobs: list[TakenJob]) -> list[Any]:
        """Return what publish.lua needs to end jobs: registry, member, hash and commands of each."""
        ends: list[Any] = []
        for job in jobs:
            ends += (STARTED_PREFIX + job.queue, self._member(job), JOB_PREFIX + job.id, job.commands)
        return ends

    def _member(self, job: TakenJob) -> str:
        return f"{job.id}:{self.worker.name}"

    def fail(self, job: TakenJob, reason: str) -> None:
        """Put a job that cannot be done into RQ's FailedJobRegistry, with the reason; the others go on."""
        logger.error("job %s on %s failed: %s", job.id, job.queue, reason)
        queue = Queue(job.queue, connection=self.client, serializer=JSONSerializer)
        with self.client.pipeline() as pipeline:
            keys = [STARTED_PREFIX + job.queue, JOB_PREFIX + job.id, self._backlog_key]
            pipeline.evalsha(self._finish.sha, len(keys), *keys, self._member(job), job.commands)
            pipeline.hincrby(self.worker.key, "failed_job_count", 1)
            if self.client.exists(JOB_PREFIX + job.id):
                stored = Job.fetch(job.id, connection=self.client, serializer=JSONSerializer)
                stored.failure_ttl = FAILED_BATCH_TTL_S
                queue.failed_job_registry.add(stored, FAILED_BATCH_TTL_S, reason, pipeline)
                pipeline.hset(JOB_PREFIX + job.id, "status", "failed")
                Result.create_failure(stored, FAILED_BATCH_TTL_S, reason, self.worker.name, pipeline)
            pipeline.execute()

    def heartbeat(self) -> None:
        """Tell RQ that this worker lives."""
        self.worker.heartbeat(WORKER_TTL_S)

    def close(self) -> None:
        """Leave RQ's list of workers."""
        self.worker.register_death()  # type: ignore[no-untyped-call]


def _read_all(queue: str, found: list[Any]) -> list[TakenJob]:
    return [_read(job_id.decode(), queue, data, commands) for job_id, data, commands in found[1:]]


def _read(job_id: str, queue: str, data: bytes, commands: int) -> TakenJob:
    if not data:
        return TakenJob(job_id, queue, commands, None, "the job's data is gone from Redis")
    try:
        return TakenJob(job_id, queue, commands, decode_job(data))
    except (msgspec.MsgspecError, UnicodeDecodeError) as ex:
        return TakenJob(job_id, queue, commands, None, f"the job cannot be read: {ex}")
