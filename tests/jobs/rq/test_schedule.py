"""The real scheduler: registers, repeats without piling up, keeps UTC, survives kills and outages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobs.rq.json_jobs import FAILURE_TTL_S, JsonJob, JsonQueue
from jobs.rq.schedule import Schedule, is_registered, register_missing, schedules
from jobs.rq.scheduler import LOCK_MS, WATCH_EVERY_MS, WatchfulScheduler
from runtime.clock import ManualClock, SystemClock
from runtime.function_versions import Pointer, folder_of_sets, house_id
from runtime.messaging.connection import connect
from runtime.stopping import Stop
from taptrade import embedded_redis
from tests.conftest import start_redis
from tests.serving import serving
from tests.waiting import wait_until

SCHEDULED = "rq:scheduler:scheduled_jobs"
IDS = {schedule.id.encode() for schedule in schedules()}
EACH_SECOND = [schedule.id for schedule in schedules() if schedule.interval_s == 1]
SAMPLE = Schedule("sample", "tests.jobs.sample_jobs.note", "settle", 30, 60, interval_s=1)


@pytest.fixture
def scheduler(redis_client: Any, clock: ManualClock) -> WatchfulScheduler:
    return WatchfulScheduler(redis_client, clock, (SAMPLE,), Stop())


def test_process_registers_all_repeats_and_never_piles_up(redis_client: Any, redis_url: str, tmp_path: Path) -> None:
    with serving("scheduler", tmp_path, redis_url, TZ="America/New_York"):
        wait_until(lambda: set(redis_client.zrange(SCHEDULED, 0, -1)) == IDS)
        morning = datetime.fromtimestamp(redis_client.zscore(SCHEDULED, "audit-daily"), UTC)
        assert (morning.hour, morning.minute) == (3, 15)
        wait_until(lambda: sorted(JsonQueue("settle", connection=redis_client).job_ids) == sorted(EACH_SECOND))
        # A job that is being pushed has no score for a moment: the scheduler removes it before it adds its next time.
        first = wait_until(lambda: redis_client.zscore(SCHEDULED, EACH_SECOND[0]))
        wait_until(lambda: (redis_client.zscore(SCHEDULED, EACH_SECOND[0]) or 0) >= first + 2)
        assert sorted(JsonQueue("settle", connection=redis_client).job_ids) == sorted(EACH_SECOND)
        redis_client.delete(SCHEDULED)
        wait_until(lambda: set(redis_client.zrange(SCHEDULED, 0, -1)) == IDS, what="the watchdog")


def test_killed_scheduler_is_followed_within_seconds(redis_client: Any, redis_url: str, tmp_path: Path) -> None:
    with serving("scheduler", tmp_path, redis_url) as first:
        wait_until(lambda: redis_client.llen("rq:queue:settle") == 2)
        first.kill()
        first.wait()
    redis_client.set(WatchfulScheduler.scheduler_lock_key, "killed", px=LOCK_MS)
    redis_client.delete("rq:queue:settle")
    with serving("scheduler", tmp_path, redis_url):
        assert wait_until(lambda: redis_client.llen("rq:queue:settle") == 2, 5)


def test_waits_for_redis_and_goes_on_after_an_outage(tmp_path: Path) -> None:
    data = tmp_path / "redis"
    url = embedded_redis.prepare(data)
    client: Any = connect(url)
    with serving("scheduler", tmp_path, url):
        for _ in range(2):
            server = start_redis(data)
            client.delete("rq:queue:settle")
            assert wait_until(lambda: client.llen("rq:queue:settle") == 2, what="the scheduler")
            server.terminate()
            server.wait(10)
    client.close()


def test_a_stop_is_heard_while_redis_is_away_and_other_functions_have_come(tmp_path: Path) -> None:
    url = embedded_redis.prepare(tmp_path / "redis")
    log = tmp_path / "scheduler.log"
    with serving("scheduler", tmp_path, url) as process:
        wait_until(lambda: log.exists() and "waiting for Redis" in log.read_text(), what="the outage")
        folder = folder_of_sets(tmp_path)
        folder.mkdir()
        (folder / "serving").write_bytes(msgspec.json.encode(Pointer(version=7, house=house_id(), since_ms=1)))
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize(("after_ms", "sleeps_s"), [(0, 0.25), (1, 0.249), (249, 0.001), (250, 0.25), (990, 0.01)])
def test_looks_at_whole_quarters_of_a_second(
    scheduler: WatchfulScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, after_ms: int, sleeps_s: float
) -> None:
    clock.advance(after_ms - clock.now_ms() % 1000)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        raise SystemExit

    monkeypatch.setattr("rq_scheduler.scheduler.time.time", lambda: 5.0)
    monkeypatch.setattr("rq_scheduler.scheduler.time.sleep", sleep)
    with pytest.raises(SystemExit):
        scheduler.run()
    assert slept == [sleeps_s]


def test_a_look_that_finds_nothing_takes_no_lock(redis_client: Any, clock: ManualClock) -> None:
    scheduler = WatchfulScheduler(redis_client, clock, (SAMPLE,), Stop(), ("webhooks",))

    def look() -> bool:
        assert scheduler.acquire_lock()
        is_locked = bool(redis_client.exists(scheduler.scheduler_lock_key))
        scheduler.enqueue_jobs()
        scheduler.remove_lock()
        return is_locked

    assert look(), "the first registers what there is"
    redis_client.zadd(SCHEDULED, {"sample": clock.now_ms() // 1000 + 1})
    assert not look()
    redis_client.zadd("rq:scheduled:webhooks", {"gone": clock.now_ms() // 1000})
    assert look(), "a message is to be tried again"
    # rq-scheduler goes by the machine's own clock.
    redis_client.zadd(SCHEDULED, {"sample": clock.now_ms() // 1000 + 1})
    assert not look()
    clock.advance(1_000)
    assert look(), "a job is due"
    redis_client.set(scheduler.scheduler_lock_key, "another")
    clock.advance(WATCH_EVERY_MS)
    assert not scheduler.acquire_lock()


def test_registering_again_changes_nothing(scheduler: WatchfulScheduler, redis_client: Any) -> None:
    clock = ManualClock(1_790_000_000_000)
    assert register_missing(scheduler, clock, (SAMPLE,)) == ["sample"]
    before = redis_client.zscore(SCHEDULED, "sample")
    clock.advance(60_000)
    assert register_missing(scheduler, clock, (SAMPLE,)) == []
    assert redis_client.zscore(SCHEDULED, "sample") == before


def test_what_is_not_in_the_table_is_unregistered(scheduler: WatchfulScheduler, redis_client: Any) -> None:
    clock = ManualClock(1_790_000_000_000)
    gone = Schedule("gone", "tests.jobs.sample_jobs.fail", "settle", 30, 60, interval_s=1)
    register_missing(scheduler, clock, (SAMPLE, gone))
    scheduler.enqueue_jobs()
    assert redis_client.zrange(SCHEDULED, 0, -1) == [b"sample"]
    assert 0 < redis_client.ttl("rq:job:gone") <= FAILURE_TTL_S


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda client: client.delete("rq:job:sample"), id="job gone"),
        pytest.param(lambda client: client.zrem(SCHEDULED, "sample"), id="time gone"),
        pytest.param(lambda client: client.hset("rq:job:sample", "data", b"\x80pickle"), id="unreadable"),
        pytest.param(lambda client: client.hset("rq:job:sample", "origin", "jobs"), id="other queue"),
    ],
)
def test_what_is_missing_or_wrong_is_registered_anew(
    scheduler: WatchfulScheduler, redis_client: Any, clock: ManualClock, change: Any
) -> None:
    register_missing(scheduler, clock, (SAMPLE,))
    change(redis_client)
    assert not is_registered(scheduler, SAMPLE)
    register_missing(scheduler, clock, (SAMPLE,))
    assert is_registered(scheduler, SAMPLE)
    assert JsonJob.fetch("sample", connection=redis_client).origin == "settle"


def test_a_broken_job_does_not_stop_the_others(redis_client: Any) -> None:
    broken = Schedule("broken", "tests.jobs.sample_jobs.fail", "settle", 30, 60, interval_s=1)
    scheduler = WatchfulScheduler(redis_client, SystemClock(), (broken, SAMPLE), Stop())
    scheduler.enqueue_jobs()
    redis_client.delete("rq:queue:settle")
    redis_client.hset("rq:job:broken", "meta", b"{not json")
    redis_client.zadd(SCHEDULED, {"broken": 0, "sample": 1})
    scheduler.enqueue_jobs()
    scheduler.enqueue_jobs()
    redis_client.zadd(SCHEDULED, {"broken": 0, "sample": 1})
    scheduler.enqueue_jobs()
    assert sorted(JsonQueue("settle", connection=redis_client).job_ids) == ["broken", "sample"]
