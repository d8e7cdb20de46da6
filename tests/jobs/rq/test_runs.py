"""What becomes of periodic jobs is counted and kept: successes, errors, functions that are not there."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.rq.json_jobs import JsonJob, JsonQueue
from jobs.rq.runs import Runs, begin_seen
from jobs.rq.schedule import Schedule, schedules
from jobs.rq.scheduler import WatchfulScheduler
from jobs.rq.workers import SteadyWorker, make_worker
from runtime.clock import ManualClock
from runtime.health.status import read_jobs
from runtime.messaging.redis_values import JobSeen
from runtime.metrics.table import Metrics
from runtime.stopping import Stop

SAMPLE = Schedule("sample", "tests.jobs.sample_jobs.note", "jobs", 30, 60, interval_s=1)
OTHER = Schedule("other", "tests.jobs.sample_jobs.note", "settle", 30, 60, interval_s=1)


def work_off(client: Any, metrics: Metrics, clock: ManualClock, function: str, *args: Any, job_id: str) -> None:
    queue = JsonQueue("jobs", connection=client)
    queue.enqueue_job(JsonJob.create(function, args=args, id=job_id, connection=client, result_ttl=-1))
    worker = make_worker("jobs", client, Runs("jobs", client, metrics, clock, (SAMPLE, OTHER)), SteadyWorker)
    worker.work(burst=True, logging_level="CRITICAL")


def runs(metrics: Metrics) -> dict[str, float]:
    return {
        key.replace("\x1f", " "): count
        for key, count in metrics.snapshot(1, 0).counters.get("taptrade_job_runs_total", {}).items()
    }


def test_a_worker_counts_from_nothing_and_only_its_own(redis_client: Any, clock: ManualClock) -> None:
    metrics = Metrics("jobs")
    Runs("jobs", redis_client, metrics, clock, (SAMPLE, OTHER))
    assert runs(metrics) == {"sample succeeded": 0, "sample failed": 0}


@pytest.mark.parametrize(
    ("function", "args", "result"),
    [
        pytest.param("tests.jobs.sample_jobs.note", ("marks",), "succeeded", id="goes well"),
        pytest.param("tests.jobs.sample_jobs.fail", (), "failed", id="raises"),
        pytest.param("tests.jobs.sample_jobs.nobody", (), "failed", id="no function"),
        pytest.param("tests.jobs.nothing.note", (), "failed", id="no module"),
    ],
)
def test_a_run_is_counted_and_only_a_success_is_kept(
    redis_client: Any,
    redis_url: str,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    args: tuple[str, ...],
    result: str,
) -> None:
    monkeypatch.setenv("TAPTRADE_REDIS_URL", redis_url)
    metrics = Metrics("jobs")
    work_off(redis_client, metrics, clock, function, *args, job_id="sample")
    assert runs(metrics) == {"sample succeeded": 0, "sample failed": 0} | {f"sample {result}": 1}
    kept = {"sample": JobSeen(clock.now_ms(), 60)} if result == "succeeded" else {}
    assert read_jobs(redis_client) == kept


def test_a_job_that_is_not_periodic_is_not_waited_for(redis_client: Any, clock: ManualClock) -> None:
    metrics = Metrics("jobs")
    work_off(redis_client, metrics, clock, "tests.jobs.sample_jobs.fail", job_id="once")
    assert set(runs(metrics).values()) == {0}
    assert read_jobs(redis_client) == {}


def test_every_job_of_the_table_is_waited_for_from_its_first_registration_on(
    redis_client: Any, clock: ManualClock
) -> None:
    first_ms = clock.now_ms()
    scheduler = WatchfulScheduler(redis_client, clock, (SAMPLE, OTHER), Stop())
    scheduler.enqueue_jobs()
    clock.advance(60_000)
    WatchfulScheduler(redis_client, clock, (SAMPLE, OTHER), Stop()).enqueue_jobs()
    assert read_jobs(redis_client) == {"sample": JobSeen(first_ms, 60), "other": JobSeen(first_ms, 60)}


def test_what_left_the_table_is_not_waited_for_and_a_new_patience_counts(redis_client: Any) -> None:
    begin_seen(redis_client, 1_000, (SAMPLE, OTHER))
    patient = Schedule("sample", SAMPLE.function, "jobs", 30, 90, interval_s=1)
    begin_seen(redis_client, 2_000, (patient,))
    assert read_jobs(redis_client) == {"sample": JobSeen(1_000, 90)}


def test_every_job_that_is_declared_has_time_for_it() -> None:
    assert {one.id for one in schedules()} >= {
        *("settle-columns", "check-breaker", "backup-live", "audit-daily", "archive-weeks"),
    }
    assert all(schedule.overdue_s > schedule.timeout_s for schedule in schedules())
    assert all(schedule.overdue_s > (schedule.interval_s or 0) for schedule in schedules())
