"""Metrics: counted in memory, carried through Redis, shown as Prometheus text, nothing left of dead processes."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from runtime.clock import ManualClock, SystemClock
from runtime.messaging.connection import OUTAGES, connect
from runtime.messaging.metrics_exchange import (
    FRESH_MS,
    PUSH_EVERY_S,
    WEIGH_EVERY_MS,
    StandingBy,
    collect,
    gather,
    push,
    start_pushing,
    take,
    works_down,
)
from runtime.messaging.redis_keys import METRICS
from runtime.metrics.table import COUNTERS, GAUGES, HISTOGRAMS, CounterName, GaugeName, HistogramName, Metrics, Snapshot
from runtime.metrics.text import exposition
from runtime.process_lock import claim_slot
from tests.backgrounds import idle, threads
from tests.serving import serving
from tests.sources import modules
from tests.waiting import wait_until


def samples(page: bytes) -> dict[tuple[str, ...], float]:
    """Return the samples of a page: (name, label values in the order of their names) -> value."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            found[sample.name, *(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_every_name_is_in_the_table() -> None:
    assert set(COUNTERS) == set(get_args(CounterName))
    assert set(GAUGES) == set(get_args(GaugeName))
    assert set(HISTOGRAMS) == set(get_args(HistogramName))
    for name, metric in (*COUNTERS.items(), *GAUGES.items(), *HISTOGRAMS.items()):
        assert name.startswith("taptrade_")
        assert metric.help.endswith(".")
    assert all(name.endswith("_total") for name in COUNTERS)


def test_every_metric_is_counted_or_set_somewhere() -> None:
    sources = modules(("functions", "runtime", "jobs", "taptrade"))
    texts = [path.read_text(encoding="utf-8") for name, path in sources.items() if name != "runtime.metrics.table"]
    assert [name for name in (*COUNTERS, *GAUGES, *HISTOGRAMS) if not any(f'"{name}' in text for text in texts)] == []


def test_counters_and_gauges_are_shown_by_process() -> None:
    api, writer = Metrics("api"), Metrics("writer")
    api.count("taptrade_requests_total", "time", "200")
    api.count("taptrade_requests_total", "time", "200", by=2)
    writer.set("taptrade_process_open_files", 7)

    shown = samples(exposition([api.snapshot(11, 0), writer.snapshot(12, 0)]))

    assert shown["taptrade_requests_total", "time", "api", "0", "200"] == 3
    assert shown["taptrade_process_open_files", "writer", "0"] == 7


def test_a_histogram_counts_a_value_on_a_bound_below_it() -> None:
    metrics = Metrics("api")
    for seconds in (0.001, 0.005, 0.0051, 60.0):
        metrics.observe("taptrade_request_seconds", seconds, "time")

    shown = samples(exposition([metrics.snapshot(1, 0)]))

    labels = ("time", "api", "0")
    assert shown["taptrade_request_seconds_bucket", labels[0], "0.005", *labels[1:]] == 2
    assert shown["taptrade_request_seconds_bucket", labels[0], "0.01", *labels[1:]] == 3
    assert shown["taptrade_request_seconds_bucket", labels[0], "+Inf", *labels[1:]] == 4
    assert shown["taptrade_request_seconds_count", *labels] == 4
    assert shown["taptrade_request_seconds_sum", *labels] == pytest.approx(60.0111)


def test_figures_of_the_whole_system_carry_no_process() -> None:
    system = Metrics("system")
    system.set("taptrade_backlog_bets", 5)
    system.set("taptrade_up", 1, "redis")

    shown = samples(exposition([system.snapshot(0, 0)]))

    assert shown == {("taptrade_backlog_bets",): 5, ("taptrade_up", "redis"): 1}


def test_threads_lose_no_count() -> None:
    metrics = Metrics("api")

    def count_thousand() -> None:
        for _ in range(1000):
            metrics.count("taptrade_requests_total", "time", "200")

    threads = [threading.Thread(target=count_thousand) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert metrics.snapshot(1, 0).counters["taptrade_requests_total"] == {"time\x1f200": 4000}


def test_any_process_can_show_what_all_have_counted(redis_client: redis.Redis, clock: ManualClock) -> None:
    writer = Metrics("writer")
    writer.count("taptrade_requests_total", "time", "200")
    push(redis_client, writer, clock, idle())
    push(redis_client, Metrics("api"), clock, idle())

    found = collect(redis_client, clock.now_ms())

    assert [one.process for one in found] == ["api", "writer"]
    assert found[1].counters == {"taptrade_requests_total": {"time\x1f200": 1}}


def test_a_restart_goes_on_with_the_same_series(redis_client: redis.Redis, redis_url: str, tmp_path: Path) -> None:
    pids, shown = set(), []
    for _ in range(4):
        with serving("scheduler", tmp_path, redis_url) as process:
            (found,) = wait_until(lambda: [one for one in _snapshots(redis_client) if one.pid not in pids])
            assert (found.pid, found.slot) == (process.pid, 0)
        pids.add(found.pid)
        shown.append(set(samples(exposition(_snapshots(redis_client)))))
    assert len(pids) == 4
    assert all(series == shown[0] for series in shown)


def test_processes_that_do_the_same_are_told_apart_by_the_lowest_free_slots(
    redis_client: redis.Redis, clock: ManualClock, tmp_path: Path
) -> None:
    first, second = claim_slot("api", tmp_path), claim_slot("api", tmp_path)
    for slot, _ in (first, second):
        push(redis_client, Metrics("api", slot), clock, idle())
    assert [one.slot for one in collect(redis_client, clock.now_ms())] == [0, 1]
    first[1].close()
    successor = claim_slot("api", tmp_path)
    push(redis_client, Metrics("api", successor[0]), clock, idle())
    assert [one.slot for one in collect(redis_client, clock.now_ms())] == [0, 1]
    for _, lock in (second, successor):
        lock.close()


def test_what_a_build_before_slots_left_is_read(redis_client: redis.Redis, clock: ManualClock) -> None:
    left = {"process": "api", "pid": 7, "at_ms": clock.now_ms() - FRESH_MS - 1}
    redis_client.hset(METRICS, "api:7", msgspec.json.encode(left))
    assert collect(redis_client, clock.now_ms()) == []
    assert redis_client.hlen(METRICS) == 0


def _snapshots(client: redis.Redis) -> list[Snapshot]:
    return collect(client, SystemClock().now_ms())


def test_dead_processes_leave_nothing(redis_client: redis.Redis, clock: ManualClock) -> None:
    for pid in range(20):
        stale = Snapshot("api", pid, clock.now_ms() - FRESH_MS - 1)
        redis_client.hset(METRICS, f"api:{pid}", msgspec.json.encode(stale))
    push(redis_client, Metrics("api"), clock, idle())

    found = collect(redis_client, clock.now_ms())

    assert len(found) == 1
    assert redis_client.hlen(METRICS) == 1


def test_a_process_measures_itself(clock: ManualClock) -> None:
    gauges = take(Metrics("api"), clock, idle()).gauges

    assert gauges["taptrade_process_memory_bytes"][""] > 1_000_000
    assert gauges["taptrade_process_open_files"][""] >= 3
    assert gauges["taptrade_process_cpu_seconds"][""] > 0


def test_the_memory_is_not_measured_at_every_push(clock: ManualClock) -> None:
    metrics = Metrics("api")

    def memory_bytes() -> float:
        return take(metrics, clock, idle()).gauges["taptrade_process_memory_bytes"][""]

    assert memory_bytes() > 1_000_000
    metrics.set("taptrade_process_memory_bytes", 1)
    clock.advance(WEIGH_EVERY_MS - 1)
    assert memory_bytes() == 1
    clock.advance(1)
    assert memory_bytes() > 1_000_000


def test_pushing_goes_on_until_it_is_stopped(redis_client: redis.Redis, clock: ManualClock) -> None:
    metrics = Metrics("api")
    with threads(clock, metrics) as background:
        start_pushing(redis_client, metrics, clock, OUTAGES, background, "")
        wait_until(lambda: redis_client.hlen(METRICS), what="the first push")
    (found,) = collect(redis_client, clock.now_ms())
    assert found.gauges["taptrade_background_up"] == {"metrics": 1}
    assert found.counters["taptrade_background_restarts_total"] == {"metrics": 0}


def test_pushing_survives_a_redis_that_is_away(tmp_path: Path, clock: ManualClock) -> None:
    metrics = Metrics("api")
    tried: list[str] = []

    class Away:
        """A client that notes when it is asked."""

        def __init__(self) -> None:
            self.client = connect(f"unix://{tmp_path}/nobody.sock")

        def __getattr__(self, name: str) -> Any:
            tried.append(name)
            return getattr(self.client, name)

    with threads(clock, metrics) as background:
        start_pushing(Away(), metrics, clock, OUTAGES, background, "")
        wait_until(lambda: tried, what="a try")
    assert background.down() == ["metrics"], "it has stopped"
    assert metrics.snapshot(1, 0).counters["taptrade_background_restarts_total"] == {"metrics": 0}


def test_machines_overwrite_nothing_of_each_other(redis_client: redis.Redis, clock: ManualClock) -> None:
    for machine in ("one:/data", "two:/data"):
        metrics = Metrics("writer")
        metrics.machine = machine
        metrics.count("taptrade_commits_total", by=len(machine))
        push(redis_client, metrics, clock, idle())
    found = collect(redis_client, clock.now_ms())
    assert [(one.process, one.machine) for one in found] == [("writer", "one:/data"), ("writer", "two:/data")]
    assert gather(redis_client, found[1]) == found
    page = exposition(found).decode()
    for machine in ("one:/data", "two:/data"):
        assert f'taptrade_commits_total{{machine="{machine}",process="writer",slot="0"}} 9.0' in page


def test_a_house_on_one_machine_names_none(redis_client: redis.Redis, clock: ManualClock) -> None:
    metrics = Metrics("writer")
    metrics.count("taptrade_commits_total")
    push(redis_client, metrics, clock, idle())
    assert redis_client.hkeys(METRICS) == [b"writer:0"]
    assert 'taptrade_commits_total{process="writer",slot="0"} 1.0' in exposition(collect(redis_client, 0)).decode()


def test_one_that_stands_by_says_so_now_and_then(redis_client: redis.Redis, clock: ManualClock) -> None:
    waits = StandingBy("settler", "two:/data", redis_client, clock)
    waits()
    (seen,) = collect(redis_client, clock.now_ms())
    assert (seen.process, seen.machine, seen.standing_by) == ("settler", "two:/data", True)
    redis_client.delete(METRICS)
    waits()
    assert collect(redis_client, clock.now_ms()) == []
    clock.advance(int(PUSH_EVERY_S * 1000))
    waits()
    assert len(collect(redis_client, clock.now_ms())) == 1


def test_what_is_down_is_told_of_every_process(redis_client: redis.Redis, clock: ManualClock) -> None:
    writer, api = Metrics("writer"), Metrics("api")
    for work, up in (("checkpoints", 0), ("metrics", 1)):
        writer.set("taptrade_background_up", up, work)
    push(redis_client, writer, clock, idle())
    api.set("taptrade_background_up", 0, "bus")
    snapshots = gather(redis_client, take(api, clock, idle()))
    assert works_down(snapshots) == [f"checkpoints of writer {os.getpid()}", f"bus of api {os.getpid()}"]
