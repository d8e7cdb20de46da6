"""Messages that are to be tried again: RQ keeps them with their times, and here they go back to their queues."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from jobs.rq.json_jobs import JsonJob, JsonQueue
from runtime.function_files import functions_folder
from runtime.triggers.discovery import triggers_in


@cache
def message_queues() -> tuple[str, ...]:
    """Return the queues whose messages functions take."""
    return tuple(one.queue for one in triggers_in(functions_folder()) if one.starter == "queue")


def retries_of(queue: str, connection: Any) -> ScheduledJobRegistry:
    """Return the messages of a queue that are to be tried again."""
    return ScheduledJobRegistry(queue, connection=connection, job_class=JsonJob, serializer=JSONSerializer)  # type: ignore[no-untyped-call]


def push_retries(connection: Any, queues: Iterable[str]) -> None:
    """Put the messages back whose pause is over."""
    for name in queues:
        registry = retries_of(name, connection)
        due = registry.get_jobs_to_schedule()
        if not due:
            continue
        queue = JsonQueue(name, connection=connection)
        for job_id, job in zip(due, JsonJob.fetch_many(due, connection, JSONSerializer), strict=True):
            with connection.pipeline() as pipe:
                if job is not None:
                    queue.enqueue_job(job, pipeline=pipe)
                pipe.zrem(registry.key, job_id)
                pipe.execute()
