"""The periodic jobs: one table, registered with rq-scheduler so that nothing is doubled and nothing stays missing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from crontab import CronTab
from rq.exceptions import NoSuchJobError
from rq_scheduler import Scheduler

from jobs.rq.json_jobs import FAILURE_TTL_S, JsonJob
from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.messaging.queues import JOBS, SETTLE

logger = logging.getLogger(__name__)

# Results of periodic jobs do not expire with them: RQ would remove the job itself.
KEEP_RESULT = -1
HOUR_S = 3600
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class Schedule:
    """One periodic job: every `interval_s` seconds, or by `cron` in UTC. Its id is fixed, so it waits at most once.

    `overdue_s` after its last success it is missed.
    """

    id: str
    function: str
    queue: str
    timeout_s: int
    overdue_s: int
    interval_s: int | None = None
    cron: str | None = None


SCHEDULES: tuple[Schedule, ...] = (
    Schedule("settle-columns", "jobs.settlement.settler.settle_columns", SETTLE, 30, 60, interval_s=1),
    Schedule("check-breaker", "jobs.settlement.breaker.check_breaker", SETTLE, 10, 60, interval_s=1),
    Schedule("backup-live", "jobs.upkeep.backup.backup_live", JOBS, 1800, 2 * HOUR_S, cron="0 * * * *"),
    Schedule("audit-daily", "jobs.upkeep.integrity.audit_daily", JOBS, 3600, 26 * HOUR_S, cron="15 3 * * *"),
    # What is due changes on Sunday 00:00 UTC. A run that was missed, failed or let another job go first is made up for.
    Schedule("archive-weeks", "jobs.upkeep.archive.archive_weeks", JOBS, 12 * HOUR_S, DAY_S, cron="*/10 * * * *"),
)


class ScheduleBroken(TaptradeError):
    """A periodic job names a function that is not there, or a time that is none."""


def require_runnable(schedules: Iterable[Schedule] = SCHEDULES) -> None:
    """Raise ScheduleBroken unless every job's function is there; an error in its module is raised as it is."""
    for schedule in schedules:
        module, _, name = schedule.function.rpartition(".")
        try:
            function = getattr(import_module(module), name, None)
        except ModuleNotFoundError as ex:
            if ex.name is None or not module.startswith(ex.name):
                raise
            function = None
        if not callable(function):
            raise ScheduleBroken(f"the periodic job {schedule.id} names {schedule.function}, which is no function")
        if schedule.cron is not None:
            try:
                CronTab(schedule.cron)
            except ValueError as ex:
                raise ScheduleBroken(f"the periodic job {schedule.id} is due at {schedule.cron!r}: {ex}") from ex


def unregister_unknown(scheduler: Scheduler, schedules: tuple[Schedule, ...] = SCHEDULES) -> list[str]:
    """Take out what is registered and not in the table, as a job of an older build is; return the ids."""
    known = {schedule.id for schedule in schedules}
    stored: list[bytes] = scheduler.connection.zrange(scheduler.scheduled_jobs_key, 0, -1)
    unknown = sorted(job_id.decode() for job_id in stored if job_id.decode() not in known)
    for job_id in unknown:
        scheduler.cancel(job_id)
        # A last run may wait in its queue and needs the job.
        scheduler.connection.expire(JsonJob.key_for(job_id), FAILURE_TTL_S)
    if unknown:
        logger.info("unregistered %s", ", ".join(unknown))
    return unknown


def register_missing(scheduler: Scheduler, clock: Clock, schedules: tuple[Schedule, ...] = SCHEDULES) -> list[str]:
    """Register the schedules that are missing or were registered otherwise; return their ids.

    One that stands keeps its next time, so a weekly run that fell into an outage is caught up.
    """
    added = [schedule.id for schedule in schedules if not is_registered(scheduler, schedule)]
    for schedule in schedules:
        if schedule.id in added:
            _register(scheduler, schedule, clock)
    if added:
        logger.info("registered %s", ", ".join(added))
    return added


def is_registered(scheduler: Scheduler, schedule: Schedule) -> bool:
    """Tell whether the scheduler has this very schedule."""
    if schedule.id not in scheduler:
        return False
    try:
        job = JsonJob.fetch(schedule.id, connection=scheduler.connection)
        return _facts(job) == (
            schedule.function,
            schedule.queue,
            schedule.timeout_s,
            schedule.interval_s,
            schedule.cron,
            KEEP_RESULT,
        )
    except NoSuchJobError:
        return False
    except Exception:
        # RQ raises whatever its serializer does. A job that cannot be read is written anew.
        logger.warning("schedule %s cannot be read", schedule.id, exc_info=True)
        return False


def _facts(job: Any) -> tuple[Any, ...]:
    meta = job.meta
    return (job.func_name, job.origin, job.timeout, meta.get("interval"), meta.get("cron_string"), job.result_ttl)


def _register(scheduler: Scheduler, schedule: Schedule, clock: Clock) -> None:
    scheduler.connection.delete(JsonJob.key_for(schedule.id))
    common: dict[str, Any] = {
        "id": schedule.id,
        "queue_name": schedule.queue,
        "timeout": schedule.timeout_s,
        "result_ttl": KEEP_RESULT,
        "ttl": None,
        "description": f"{schedule.function}()",
    }
    if schedule.cron is not None:
        scheduler.cron(schedule.cron, schedule.function, **common)
    else:
        now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
        scheduler.schedule(now, schedule.function, interval=schedule.interval_s, **common)
