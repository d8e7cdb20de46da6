"""RQ's workers in threads: as many on a function's queue as it may have runs under way."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from rq.registry import StartedJobRegistry
from rq.timeouts import BaseDeathPenalty

from jobs.rq.json_jobs import JsonJob, JsonQueue
from jobs.rq.runs import Runs
from jobs.rq.workers import PAUSE_S, WORKER_TTL_S, SteadyWorker, make_worker, reclaim
from jobs.triggers.attempts import FunctionFailed, Stopping
from runtime.messaging.connection import OUTAGES, connect, wait_until_ready
from runtime.messaging.queues import FUNCTION_PREFIX, JOBS, QUEUE_PREFIX, QUEUES_KEY, SETTLE, is_of_writer

logger = logging.getLogger(__name__)


class NoPenalty(BaseDeathPenalty):
    """RQ's own time limit needs the main thread's signals; each attempt has one of ours."""

    def setup_death_penalty(self) -> None:
        """Do nothing."""

    def cancel_death_penalty(self) -> None:
        """Do nothing."""


class ThreadWorker(SteadyWorker):
    """A worker that leaves signals, the process's name and its service manager to the main thread."""

    death_penalty_class = NoPenalty
    tells_systemd = False

    def handle_exception(self, job: Any, *exc_info: Any) -> None:
        """Leave out of the log what each attempt has logged already."""
        if not isinstance(exc_info[1], FunctionFailed):
            super().handle_exception(job, *exc_info)

    def _install_signal_handlers(self) -> None:
        """Leave signals to the main thread."""

    def procline(self, message: str) -> None:
        """Leave the process's name as it is: there are several of us."""


class QueueThread:
    """One thread that works on one queue."""

    def __init__(self, queue: str, redis_url: str, runs: Runs, stopping: Stopping) -> None:
        self.queue = queue
        self._url = redis_url
        self._runs = runs
        self._stopping = stopping
        self._worker: SteadyWorker | None = None

    def run(self) -> None:
        """Work until the process stops, over outages of Redis."""
        client: Any = connect(self._url, block_s=WORKER_TTL_S)
        while wait_until_ready(client, self._stopping.wait, attempts=2**31) and not self._stopping.wait(0):
            try:
                self._worker = make_worker(self.queue, client, self._runs, ThreadWorker)
                self._worker.work(logging_level="WARNING")
            except OUTAGES as ex:
                logger.warning("lost Redis: %s", ex)
            self._stopping.wait(PAUSE_S)

    def leave(self) -> None:
        """Take the worker off RQ's list: it waits for a job that it will not take."""
        if self._worker is not None:
            self._worker.register_death()  # type: ignore[no-untyped-call]


def take_up_again(queue: str, client: Any) -> list[str]:
    """Put back what a killed process had taken of a queue, so that it is done once more."""
    of_queue = JsonQueue(queue, connection=client)
    found = reclaim(of_queue)
    registry = StartedJobRegistry(queue, connection=client, job_class=JsonJob, serializer=of_queue.serializer)
    for entry in client.zrange(registry.key, 0, -1):
        job_id = registry.parse_job_id(entry)
        with client.pipeline() as pipe:
            pipe.zrem(registry.key, entry)
            pipe.lrem(of_queue.key, 0, job_id)
            pipe.lpush(of_queue.key, job_id)
            pipe.hset(JsonJob.key_for(job_id), "status", "queued")
            pipe.execute()
        found.append(job_id)
    if found:
        logger.warning("%s: took up again %s", queue, ", ".join(found))
    return found


def forget_queues(known: Iterable[str], client: Any) -> list[str]:
    """Take the queues off RQ's list that no function takes from any more; one with messages stays, and is told of."""
    ours = {QUEUE_PREFIX + name for name in (*known, SETTLE, JOBS)}
    gone = sorted({key.decode() for key in client.smembers(QUEUES_KEY)} - ours)
    gone = [key for key in gone if not is_of_writer(key.removeprefix(QUEUE_PREFIX))]
    for key in gone:
        name = key.removeprefix(QUEUE_PREFIX)
        if name.startswith(FUNCTION_PREFIX):
            client.delete(key)  # a run that nobody can make any more
        waiting = client.llen(key)
        if waiting:
            logger.warning("%d messages wait on the queue %s, and no function takes them", waiting, name)
        else:
            client.srem(QUEUES_KEY, key)
            logger.info("the queue %s is no longer declared", name)
    return gone
