"""The periodic jobs: found where they are declared, registered with rq-scheduler, none doubled and none missing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from crontab import CronTab
from rq.exceptions import NoSuchJobError
from rq_scheduler import Scheduler

from jobs.rq.json_jobs import FAILURE_TTL_S, JsonJob
from runtime.clock import Clock
from runtime.function_files import files_of, folder_of, functions_folder
from runtime.triggers.declaration import Trigger
from runtime.triggers.discovery import in_order, speaks_of_triggers, triggers_in, triggers_of

logger = logging.getLogger(__name__)

# Results of periodic jobs do not expire with them: RQ would remove the job itself.
KEEP_RESULT = -1
HOUSE_FOLDERS = ("settlement", "upkeep")
PERIODIC_JOB = "jobs.triggers.work.run_periodic"
OVERDUE_S_MIN = 60
GAPS_LOOKED_AT = 16
"""So many of a calendar's times tell its longest pause: a week of working days, a year of months."""


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
    args: tuple[str, ...] = ()


@cache
def schedules() -> tuple[Schedule, ...]:
    """Return every periodic job that is declared: the house's own, then those of functions/.

    Raise DiscoveryError that names the file where one is broken.
    """
    own = [house_schedule(one) for one in house_triggers()]
    found = [function_schedule(one) for one in triggers_in(functions_folder()) if one.starter in ("every", "cron")]
    return (*own, *found)


def house_triggers() -> tuple[Trigger, ...]:
    """Find the periodic jobs that the rooms of jobs/ declare."""
    files = [file for folder in HOUSE_FOLDERS for file in files_of(folder_of("jobs") / folder)]
    return in_order(one for file in files if speaks_of_triggers(file) for one in triggers_of(file))


def house_schedule(one: Trigger) -> Schedule:
    """Return the schedule of a job of the house's own, which RQ calls itself."""
    path = f"{one.handler.__module__}.{one.handler.__qualname__}"
    return Schedule(one.name, path, one.queue, one.timeout_s, overdue_s_of(one), one.interval_s, one.cron)


def function_schedule(one: Trigger) -> Schedule:
    """Return the schedule of a function: it has a queue of its own, on which the process `functions` works."""
    return Schedule(
        job_id_of(one.name),
        PERIODIC_JOB,
        one.runs_on,
        one.longest_s,
        overdue_s_of(one),
        one.interval_s,
        one.cron,
        (one.name,),
    )


def job_id_of(function: str) -> str:
    """Return the id of a function's periodic job, which RQ lets have no full stop."""
    return function.replace(".", "-")


def overdue_s_of(one: Trigger) -> int:
    """Return how long after its last success a job is missed: what it says, else two of its longest pauses."""
    if one.overdue_s is not None:
        return one.overdue_s
    return max(OVERDUE_S_MIN, 2 * (one.interval_s or _longest_gap_s(one.cron or "")) + one.longest_s)


def _longest_gap_s(cron: str) -> int:
    at, gaps_s = datetime(2026, 1, 1, tzinfo=UTC), []
    for _ in range(GAPS_LOOKED_AT):
        gaps_s.append(CronTab(cron).next(at, default_utc=True) or 0)
        at += timedelta(seconds=gaps_s[-1])
    return round(max(gaps_s[1:]))


def unregister_unknown(scheduler: Scheduler, schedules: tuple[Schedule, ...]) -> list[str]:
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


def register_missing(scheduler: Scheduler, clock: Clock, schedules: tuple[Schedule, ...]) -> list[str]:
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
            list(schedule.args),
        )
    except NoSuchJobError:
        return False
    except Exception:
        # RQ raises whatever its serializer does. A job that cannot be read is written anew.
        logger.warning("schedule %s cannot be read", schedule.id, exc_info=True)
        return False


def _facts(job: Any) -> tuple[Any, ...]:
    meta = job.meta
    return (
        job.func_name,
        job.origin,
        job.timeout,
        meta.get("interval"),
        meta.get("cron_string"),
        job.result_ttl,
        list(job.args),
    )


def _register(scheduler: Scheduler, schedule: Schedule, clock: Clock) -> None:
    scheduler.connection.delete(JsonJob.key_for(schedule.id))
    common: dict[str, Any] = {
        "id": schedule.id,
        "queue_name": schedule.queue,
        "timeout": schedule.timeout_s,
        "result_ttl": KEEP_RESULT,
        "ttl": None,
        "description": f"{schedule.function}({', '.join(schedule.args)})",
        "args": schedule.args,
    }
    if schedule.cron is not None:
        scheduler.cron(schedule.cron, schedule.function, **common)
    else:
        now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
        scheduler.schedule(now, schedule.function, interval=schedule.interval_s, **common)
