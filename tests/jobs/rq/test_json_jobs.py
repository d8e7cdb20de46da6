"""JSON jobs on real queues, worked off by the real worker process."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
import redis
from rq.command import PUBSUB_CHANNEL_TEMPLATE
from rq.intermediate_queue import IntermediateQueue
from rq.job import JobStatus
from rq.suspension import suspend

from jobs.rq.json_jobs import RENAMED, JsonJob, JsonQueue
from jobs.rq.runs import Runs
from jobs.rq.schedule import schedules
from jobs.rq.workers import ProcessWorker, SteadyWorker, make_worker, reclaim, worker_name
from runtime.clock import ManualClock
from runtime.metrics.table import Metrics
from runtime.stopping import Stop
from taptrade import embedded_redis
from tests.conftest import start_redis
from tests.serving import serving
from tests.waiting import wait_until

NOTE = "tests.jobs.sample_jobs.note"


def job(client: Any, job_id: str, function: str = NOTE, *args: Any) -> JsonJob:
    made = JsonJob.create(function, args=args, id=job_id, connection=client, result_ttl=-1, timeout=30)
    assert isinstance(made, JsonJob)
    return made


@pytest.fixture
def queue(redis_client: Any) -> JsonQueue:
    return JsonQueue("jobs", connection=redis_client)


def test_what_is_stored_is_json(redis_client: Any, queue: JsonQueue) -> None:
    queue.enqueue_job(job(redis_client, "one", NOTE, "marks", "a"))
    stored = redis_client.hget("rq:job:one", "data")
    assert json.loads(zlib.decompress(stored)) == [NOTE, None, ["marks", "a"], {}]
    assert JsonJob.fetch("one", connection=redis_client).args == ["marks", "a"]


@pytest.mark.parametrize("old", RENAMED)
def test_a_job_that_waits_under_an_older_name_runs(redis_client: Any, queue: JsonQueue, old: str) -> None:
    queue.enqueue_job(job(redis_client, "one", old))
    found = JsonJob.fetch("one", connection=redis_client).func
    assert f"{found.__module__}.{found.__name__}" in {schedule.function for schedule in schedules()}


def test_an_id_waits_at_most_once(redis_client: Any, queue: JsonQueue) -> None:
    for _ in range(3):
        queue.enqueue_job(job(redis_client, "one", NOTE, "marks"))
    queue.enqueue_job(job(redis_client, "two", NOTE, "marks"))
    assert queue.job_ids == ["one", "two"]


def test_worker_process_runs_json_jobs_and_outlives_failures(
    redis_client: Any, redis_url: str, queue: JsonQueue, tmp_path: Path
) -> None:
    with serving("jobs", tmp_path, redis_url):
        queue.enqueue_job(job(redis_client, "bad", "tests.jobs.sample_jobs.fail"))
        queue.enqueue_job(job(redis_client, "one", NOTE, "marks", "a"))
        wait_until(lambda: redis_client.lrange("marks", 0, -1) == [b"a"])
        wait_until(lambda: JsonJob.fetch("one", connection=redis_client).get_status() == JobStatus.FINISHED)
        assert JsonJob.fetch("one", connection=redis_client).return_value() == {"noted": "marks"}
        assert queue.failed_job_registry.get_job_ids() == ["bad"]
    assert redis_client.smembers("rq:workers") == set(), "it took its leave"


def test_a_worker_that_is_told_to_stop_ends_after_the_job_under_way(
    redis_client: Any, redis_url: str, queue: JsonQueue, tmp_path: Path
) -> None:
    queue.enqueue_job(job(redis_client, "one", "tests.jobs.sample_jobs.note_when_told_to_stop", "marks"))
    queue.enqueue_job(job(redis_client, "two", NOTE, "marks"))
    with serving("jobs", tmp_path, redis_url) as process:
        assert process.wait(20) == 0
    assert JsonJob.fetch("one", connection=redis_client).get_status() == JobStatus.FINISHED
    assert queue.job_ids == ["two"], "the next worker's"
    assert redis_client.lrange("marks", 0, -1) == [b"ran"]
    assert redis_client.smembers("rq:workers") == set(), "it took its leave"


class StopAfterALook(Stop):
    """Is set once somebody has looked."""

    def is_set(self) -> bool:
        if not super().is_set():
            self.set()
            return False
        return True


def test_a_job_that_comes_after_the_stop_is_left_to_the_next_worker(
    redis_client: Any, queue: JsonQueue, clock: ManualClock
) -> None:
    queue.enqueue_job(job(redis_client, "one", NOTE, "marks"))
    worker = make_worker("jobs", redis_client, Runs("jobs", redis_client, Metrics("jobs"), clock), ProcessWorker)
    worker.stop = StopAfterALook()
    worker.register_birth()  # type: ignore[no-untyped-call]
    assert worker.dequeue_job_and_maintain_ttl(1) is None
    assert queue.job_ids == ["one"]
    assert redis_client.llen(queue.intermediate_queue_key) == 0


def test_a_worker_is_told_to_stop_while_it_is_suspended(
    redis_client: Any, redis_url: str, queue: JsonQueue, tmp_path: Path
) -> None:
    suspend(redis_client)
    queue.enqueue_job(job(redis_client, "one", NOTE, "marks"))
    with serving("jobs", tmp_path, redis_url) as process:
        (key,) = wait_until(lambda: redis_client.smembers("rq:workers"), what="a worker")
        wait_until(lambda: redis_client.hget(key, "state") == b"suspended", what="its rest")
        process.terminate()
        assert process.wait(10) == 0
    assert queue.job_ids == ["one"]


def test_a_worker_is_told_to_stop_while_redis_is_away(tmp_path: Path) -> None:
    url = embedded_redis.prepare(tmp_path / "redis")
    server = start_redis(tmp_path / "redis")
    log = tmp_path / "jobs.log"
    try:
        with serving("jobs", tmp_path, url) as process, redis.Redis.from_url(url) as client:
            wait_until(lambda: client.info("clients")["blocked_clients"] == 1, what="a worker that waits for a job")
            server.kill()
            server.wait()
            wait_until(lambda: "could not connect to Redis" in log.read_text(), what="the outage")
            process.terminate()
            assert process.wait(10) == 0
    finally:
        server.kill()
        server.wait()


def test_killed_worker_is_followed_at_once_and_its_job_is_taken_up(
    redis_client: Any, redis_url: str, queue: JsonQueue, tmp_path: Path
) -> None:
    with serving("jobs", tmp_path, redis_url) as first:
        wait_until(lambda: redis_client.scard("rq:workers") == 1)
        first.kill()
        first.wait()
    queue.enqueue_job(job(redis_client, "one", NOTE, "marks"))
    redis_client.lmove(queue.key, queue.intermediate_queue_key, "RIGHT", "LEFT")
    with serving("jobs", tmp_path, redis_url):
        wait_until(lambda: redis_client.llen("marks") == 1, 5)
    assert redis_client.llen(queue.intermediate_queue_key) == 0


def test_a_worker_that_hears_no_commands_any_more_gives_way_to_a_new_one(
    redis_client: Any, redis_url: str, queue: JsonQueue, tmp_path: Path
) -> None:
    log = tmp_path / "jobs.log"

    def names() -> set[bytes]:
        return {key.rpartition(b":")[2] for key in redis_client.smembers("rq:workers")}

    with serving("jobs", tmp_path, redis_url):
        (first,) = wait_until(names, what="a worker")
        channel = PUBSUB_CHANNEL_TEMPLATE % first.decode()
        wait_until(lambda: redis_client.publish(channel, "no command") == 1, what="a worker that hears")
        wait_until(lambda: "JSONDecodeError" in log.read_text(), what="the end of its thread")
        queue.enqueue_job(job(redis_client, "one", NOTE, "marks", "a"))
        wait_until(lambda: names() - {first}, what="another worker")
        queue.enqueue_job(job(redis_client, "two", NOTE, "marks", "b"))
        wait_until(lambda: redis_client.lrange("marks", 0, -1) == [b"a", b"b"], what="both jobs")
    assert "hears no commands any more" in log.read_text()


def test_reclaim_leaves_no_copies(redis_client: Any, queue: JsonQueue) -> None:
    queue.enqueue_job(job(redis_client, "one"))
    redis_client.lpush(queue.intermediate_queue_key, "one", "one", "two")
    assert sorted(reclaim(queue)) == ["one", "one", "two"]
    assert sorted(queue.job_ids) == ["one", "two"]
    assert IntermediateQueue(queue.key, redis_client).get_job_ids() == []


def test_worker_registers_again_after_redis_came_up_empty(redis_client: Any, clock: ManualClock) -> None:
    worker: Any = make_worker("jobs", redis_client, Runs("jobs", redis_client, Metrics("jobs"), clock), SteadyWorker)
    worker.register_birth()
    redis_client.flushall()
    worker.heartbeat()
    assert redis_client.smembers("rq:workers") == {worker.key.encode()}
    assert redis_client.hget(worker.key, "queues") == b"jobs"


def test_worker_names_differ_within_one_process() -> None:
    assert worker_name("jobs") != worker_name("jobs")
