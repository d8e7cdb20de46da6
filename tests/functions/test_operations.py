"""What operators ask: health, readiness, version, metrics, time, and the description of the interface."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import pytest

from jobs.rq.json_jobs import JsonQueue
from jobs.rq.runs import begin_seen
from jobs.rq.schedule import schedules
from jobs.upkeep.backup import make_backup
from runtime.clock import ManualClock, rfc3339
from runtime.game.breaker import Breaker, Override, State
from runtime.messaging.connection import connect
from runtime.messaging.metrics_exchange import push
from runtime.messaging.redis_keys import (
    FEED_ALIVE,
    SETTLER_ALIVE,
    TICK_LATEST,
    WRITER_ALIVE,
)
from runtime.metrics.table import Metrics
from runtime.settings import Settings
from runtime.storage.backups import FOLDER
from runtime.version import STAMP, build
from tests.backgrounds import idle
from tests.functions.station import PARTS, Station, open_station


def test_a_system_that_is_well_is_200(station: Station) -> None:
    station.be_well()

    assert station.health() == (200, dict.fromkeys(PARTS, True))


def test_nothing_runs_yet_but_this_process_is_ready(station: Station) -> None:
    status, checks = station.health()

    assert status == 503
    assert {name for name, ok in checks.items() if ok} == {"database", "redis", "background"}
    ready = station.client.simulate_get("/readyz")
    assert (ready.status_code, set(ready.json["checks"])) == (200, {"database", "redis", "background"})


def test_background_work_that_is_down_is_named_here_and_of_other_processes(station: Station) -> None:
    station.be_well()
    writer = Metrics("writer")
    writer.set("taptrade_background_up", 0, "checkpoints")
    push(station.redis, writer, station.clock, idle(station.clock))
    assert station.health() == (503, dict.fromkeys(PARTS, True) | {"background": False})
    assert station.client.simulate_get("/readyz").status_code == 200, "what is another's is not needed to answer"

    failed, go_on = threading.Event(), threading.Event()

    def listen() -> None:
        if not failed.is_set():
            failed.set()
            raise ValueError("unknown command")
        go_on.wait(10)

    station.background.start("replies", listen)
    assert failed.wait(5)
    ready = station.client.simulate_get("/readyz")
    assert (ready.status_code, ready.json["checks"]["background"]) == (503, {"ok": False, "detail": "down: replies"})
    detail = station.client.simulate_get("/healthz").json["checks"]["background"]["detail"]
    assert detail == f"down: checkpoints of writer {os.getpid()}, replies of api {os.getpid()}"
    page = station.client.simulate_get("/metrics").text
    assert 'taptrade_up{part="background"} 0.0' in page
    assert 'taptrade_background_up{process="api",slot="0",work="replies"} 0.0' in page
    go_on.set()


@pytest.mark.parametrize(
    ("key", "part"),
    [(FEED_ALIVE, "price_feed"), (TICK_LATEST, "price_feed"), (SETTLER_ALIVE, "scheduler"), (WRITER_ALIVE, "writer")],
)
def test_a_process_that_gives_no_sign_of_life_is_named(station: Station, key: str, part: str) -> None:
    station.be_well()
    station.redis.delete(key)

    assert station.health() == (503, dict.fromkeys(PARTS, True) | {part: False})


def test_an_old_price_is_not_healthy(station: Station) -> None:
    station.be_well()
    station.clock.advance(9_600)
    assert station.health()[0] == 200
    station.clock.advance(1)

    assert station.health() == (503, dict.fromkeys(PARTS, True) | {"price_feed": False})


@pytest.mark.parametrize(
    ("state", "override", "ok"),
    [
        (State.HEALTHY, Override.AUTO, True),
        (State.DEGRADED, Override.AUTO, True),
        (State.CRITICAL, Override.AUTO, False),
        (State.HEALTHY, Override.OPEN, False),
        (State.CRITICAL, Override.CLOSED, True),
    ],
)
def test_the_breaker_is_ill_when_bets_are_refused(station: Station, state: State, override: Override, ok: bool) -> None:
    station.be_well()
    station.set_breaker(Breaker(state, 0, 0, override))

    assert station.health()[1]["breaker"] is ok


def test_without_redis_every_answer_still_comes(settings: Settings, tmp_path: Path, clock: ManualClock) -> None:
    station, _ = open_station(settings, connect(f"unix://{tmp_path}/nobody.sock"), clock, idle(clock))

    assert station.health() == (503, dict.fromkeys(PARTS, False) | {"background": True})
    assert station.client.simulate_get("/readyz").status_code == 503
    page = station.client.simulate_get("/metrics")
    assert page.status_code == 200
    assert 'taptrade_up{part="redis"} 0.0' in page.text
    assert "taptrade_process_memory_bytes{" in page.text


def test_metrics_show_the_system_and_every_process_once(station: Station) -> None:
    station.be_well()
    station.client.simulate_get("/api/time")

    page = station.client.simulate_get("/metrics")

    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        "taptrade_backlog_bets 7.0",
        "taptrade_tick_age_seconds 0.4",
        "taptrade_writer_commit 0.0",
        'taptrade_breaker_state{state="HEALTHY"} 1.0',
        'taptrade_breaker_state{state="CRITICAL"} 0.0',
        'taptrade_up{part="writer"} 1.0',
    ):
        assert f"\n{line}\n" in page.text
    (counted,) = re.findall(r"^taptrade_requests_total\{.*function=\"time\".*$", page.text, re.MULTILINE)
    assert counted.endswith('process="api",slot="0",status="200"} 1.0')


def test_metrics_show_when_each_periodic_job_went_well_and_how_old_the_backup_is(station: Station) -> None:
    station.be_well()
    page = station.client.simulate_get("/metrics").text
    assert "\ntaptrade_backup_time_seconds " not in page
    assert "\ntaptrade_job_success_time_seconds{" not in page
    begin_seen(station.redis, 1_500, schedules())
    make_backup(station.settings.database, station.settings.data / FOLDER, ManualClock(2_500))
    page = station.client.simulate_get("/metrics").text
    assert "\ntaptrade_backup_time_seconds 2.5\n" in page
    for schedule in schedules():
        assert f'\ntaptrade_job_success_time_seconds{{job="{schedule.id}"}} 1.5\n' in page
        assert f'\ntaptrade_job_overdue_seconds{{job="{schedule.id}"}} {schedule.overdue_s:.1f}\n' in page


def test_metrics_show_how_long_the_oldest_job_of_each_queue_has_waited(station: Station) -> None:
    station.be_well()
    queue = JsonQueue("jobs", connection=station.redis)
    for number, waited_s in enumerate((90, 30)):
        job = queue.enqueue("os.getpid", job_id=str(number))
        since = rfc3339(station.clock.now_ms() - 1000 * waited_s)
        station.redis.hset(job.key, "enqueued_at", since)
    page = station.client.simulate_get("/metrics").text
    assert '\ntaptrade_queue_age_seconds{queue="jobs"} 90.0\n' in page
    assert '\ntaptrade_queue_age_seconds{queue="bets"} 0.0\n' in page


def test_the_version_has_release_build_and_commit(station: Station) -> None:
    answer = station.client.simulate_get("/version")

    assert re.fullmatch(r"v\d+\.\d+\.\d+-\w+\+\w+", answer.json["version"])
    assert answer.json["version"].endswith(answer.json["commit"])
    assert answer.json["mode"] == "demo"
    assert answer.json["python"].startswith("CPython 3.")


@pytest.mark.integration
def test_a_build_without_history_has_its_stamp(tmp_path: Path) -> None:
    bare = build(tmp_path / "nowhere")
    (tmp_path / STAMP).parent.mkdir()
    (tmp_path / STAMP).write_text("57 abc1234\n", encoding="ascii")
    stamped = build(tmp_path)

    assert bare.version.endswith("-0+unknown")
    assert stamped.version.endswith("-57+abc1234")


def test_time_is_the_servers(station: Station) -> None:
    station.clock.wall_ms = 1_790_000_000_007

    answer = station.client.simulate_get("/api/time")

    assert answer.json == {"server_time": "2026-09-21T14:13:20.007Z", "server_time_ms": 1_790_000_000_007}
    assert len(answer.content) < 100


def test_the_interface_describes_itself(station: Station) -> None:
    api = json.loads(station.client.simulate_get("/openapi.json").content)

    assert {"/healthz", "/readyz", "/metrics", "/version", "/api/time", "/openapi.json"} == set(api["paths"])
    assert api["info"]["version"] == station.client.simulate_get("/version").json["version"]
