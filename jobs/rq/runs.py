"""What becomes of the periodic jobs: each run is counted, and when a job last went well is kept for all to see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jobs.rq.schedule import Schedule, schedules
from runtime.clock import Clock
from runtime.messaging.redis_keys import JOBS_SEEN
from runtime.messaging.redis_values import JobSeen, decode_jobs_seen
from runtime.metrics.table import Metrics

SUCCEEDED, FAILED = "succeeded", "failed"


class Runs:
    """The runs of the periodic jobs of one queue."""

    def __init__(
        self, queue: str, client: Any, metrics: Metrics, clock: Clock, known: Iterable[Schedule] | None = None
    ) -> None:
        declared = schedules() if known is None else known
        self._schedules = {schedule.id: schedule for schedule in declared if schedule.queue == queue}
        self._client = client
        self._metrics = metrics
        self._clock = clock
        for job_id in self._schedules:
            for result in (SUCCEEDED, FAILED):
                metrics.count("taptrade_job_runs_total", job_id, result, by=0)

    def ended(self, job_id: str, *, succeeded: bool) -> None:
        """Count a run, and keep when it went well; a job that is not periodic is nobody's to wait for."""
        schedule = self._schedules.get(job_id)
        if schedule is None:
            return
        self._metrics.count("taptrade_job_runs_total", job_id, SUCCEEDED if succeeded else FAILED)
        if succeeded:
            seen = JobSeen(self._clock.now_ms(), schedule.overdue_s)
            self._client.hset(JOBS_SEEN, job_id, seen.encode())


def begin_seen(client: Any, now_ms: int, known: Iterable[Schedule]) -> None:
    """Let every periodic job be waited for from now on, if it is not yet, and no other."""
    found = decode_jobs_seen(client.hgetall(JOBS_SEEN))
    due = {schedule.id: schedule.overdue_s for schedule in known}
    for job_id, overdue_s in due.items():
        seen = found.get(job_id)
        if seen is None or seen.overdue_s != overdue_s:
            since_ms = now_ms if seen is None else seen.since_ms
            client.hset(JOBS_SEEN, job_id, JobSeen(since_ms, overdue_s).encode())
    gone = found.keys() - due.keys()
    if gone:
        client.hdel(JOBS_SEEN, *gone)
