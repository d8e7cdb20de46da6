"""The soak: samples of processes, trends of a run, its tables."""

from __future__ import annotations

from loadtest.measurement import Found
from loadtest.report import section
from loadtest.soak import EVERY_S, SHORTEST_S, errors_of, trends_of
from loadtest.system import Audit

MACHINE: Found = {
    "cpus": 2,
    "cpu": "one",
    "memory_gb": 8.0,
    "kernel": "6",
    "python": "3",
    "sqlite": "3",
    "redis": "9",
    "nginx": "1",
    "load_before": 0.1,
    "through_nginx": True,
}


def used(own_mb: float, descriptors: int = 0, cpu_percent: float = 0.0) -> Found:
    return {"own_mb": own_mb, "mapped_mb": 20.0, "descriptors": descriptors, "cpu_percent": cpu_percent}


def sample(number: int, leak_mb: float = 0.0) -> Found:
    processes = {
        "api": used(70.0 + leak_mb * number, 100, 40.0),
        "writer": used(100.0),
        "generator": used(50.0 + number),
    }
    return {
        "at_s": 5.0 * number,
        "processes": processes,
        "wal_mb": float(number % 7),
        "database_mb": float(number),
        "redis_mb": 20.0,
        "backlog_bets": 3,
        "committed_per_s": 500.0,
        "p50_ms": 5.0,
        "p99_ms": 40.0,
        "errors": {"CELL_CLOSED": 1} if number % 100 == 0 else {},
    }


def soak(leak_mb: float = 0.0, count: int = 360) -> Found:
    samples = [sample(number, leak_mb) for number in range(count)]
    return {
        "options": {"minutes": 30.0, "rate": 500},
        "seconds": 5.0 * count,
        "shortest_s": SHORTEST_S,
        "every_s": EVERY_S,
        "committed": 900_000,
        "errors": errors_of(samples),
        "trends": trends_of(samples),
        "samples": samples,
        "audits": [Audit(True, "every cent is there")],
        "machine": MACHINE,
    }


def test_steady_run_is_flat_and_a_leak_is_named() -> None:
    assert {one["verdict"] for one in soak()["trends"]} == {"flat"}
    leaking = soak(leak_mb=0.1)
    assert {one["name"]: one["verdict"] for one in leaking["trends"]}["api: own memory MB"] == "growing"
    assert "Growing: api: own memory MB." in section("soak", leaking)


def test_the_load_itself_is_not_judged() -> None:
    assert not any(one["name"].startswith("generator") for one in soak()["trends"])


def test_process_that_was_restarted_has_no_trend() -> None:
    samples = [sample(number) for number in range(10)]
    del samples[4]["processes"]["writer"]
    assert not any(one["name"].startswith("writer") for one in trends_of(samples))


def test_a_glance_tells_of_a_process_where_it_was_there() -> None:
    found = soak()
    for one in found["samples"][:18]:
        del one["processes"]["writer"]
    for one in found["samples"][36:72]:
        del one["processes"]["writer"]
    lines = section("soak: series", found).splitlines()[-10:]
    assert [line.split("|")[5].strip() for line in lines[:3]] == ["100.0", "-", "100.0"]


def test_section_tells_how_to_run_it_and_what_came_of_it() -> None:
    text = section("soak", soak())
    assert "    make soak MINUTES=30 RATE=500" in text
    assert "errors: 4 CELL_CLOSED. Growing: nothing. every cent is there." in text
    series = section("soak: series", soak())
    assert len([line for line in series.splitlines() if line.startswith("| ") and "500 |" in line]) == 10
    assert "is not judged" in section("soak", soak(count=30))
