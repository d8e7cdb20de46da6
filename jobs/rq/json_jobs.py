"""RQ's Job and Queue, with JSON inside and at most one waiting run of a job: what rq-scheduler lacks options for."""

from __future__ import annotations

from typing import Any

from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

RENAMED = {
    "jobs.settle.settle_columns": "jobs.settlement.settler.settle_columns",
    "jobs.breaker.check_breaker": "jobs.settlement.breaker.check_breaker",
    "jobs.backup.backup_live": "jobs.upkeep.backup.backup_live",
    "jobs.integrity.audit_daily": "jobs.upkeep.integrity.audit_daily",
    "jobs.archive.archive_weeks": "jobs.upkeep.archive.archive_weeks",
}
"""Names under which builds up to 0.1.0 queued periodic jobs: one that waited over an update still runs."""

# A periodic job that failed stays visible to the operator for a day, also when its next run went well.
FAILURE_TTL_S = 24 * 3600


class JsonJob(Job):
    """A job whose data are JSON, whoever creates or fetches it."""

    def __init__(self, id: str | None = None, connection: Any = None, serializer: Any = None) -> None:  # noqa: A002
        super().__init__(id, connection, serializer or JSONSerializer)

    @property
    def func(self) -> Any:
        """The function to run, also where it was queued under an older name."""
        name = self.func_name or ""
        return import_attribute(RENAMED.get(name, name))

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> Job:
        """Create a job; its failures are kept for FAILURE_TTL_S unless told otherwise."""
        kwargs["serializer"] = kwargs.get("serializer") or JSONSerializer
        kwargs.setdefault("failure_ttl", FAILURE_TTL_S)
        return super().create(*args, **kwargs)

    @classmethod
    def fetch(cls, id: str, connection: Any = None, serializer: Any = None) -> Job:  # noqa: A002
        """Fetch a job by its id."""
        return super().fetch(id, connection, serializer or JSONSerializer)


class JsonQueue(Queue):
    """A queue of JSON jobs in which an id waits at most once."""

    job_class = JsonJob

    def __init__(self, name: str = "default", connection: Any = None, **kwargs: Any) -> None:
        kwargs["serializer"] = kwargs.get("serializer") or JSONSerializer
        kwargs["job_class"] = kwargs.get("job_class") or JsonJob
        super().__init__(name, connection, **kwargs)

    def enqueue_job(self, job: Job, pipeline: Any = None, at_front: bool = False, unique: bool = False) -> Job:
        """Enqueue a job, unless it is waiting already.

        Only rq-scheduler enqueues periodic jobs and only one scheduler holds its lock, so nothing comes between
        the look and the push.
        """
        if self.connection.lpos(self.key, job.id) is not None:
            return job
        return super().enqueue_job(job, pipeline=pipeline, at_front=at_front, unique=unique)
