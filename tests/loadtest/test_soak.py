"""The soak: samples of processes, trends of a run, its tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.bench.display import Display
from loadtest.bench.proc import members
from loadtest.bench.report import NoMarkers
from loadtest.bench.results import Audit
from loadtest.command import publish
from loadtest.soak.report import section
from loadtest.soak.results import Soak, errors_of, trends_of
from loadtest.soak.samples import ProcessSample, Sample, memory_and_descriptors, parse_memory

MACHINE: dict[str, str | int | float | bool] = {
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


def sample(number: int, leak_mb: float = 0.0) -> Sample:
    api = ProcessSample(own_mb=70.0 + leak_mb * number, mapped_mb=20.0, descriptors=100, cpu_percent=40.0)
    processes = {"api": api, "writer": ProcessSample(own_mb=100.0), "generator": ProcessSample(own_mb=50.0 + number)}
    return Sample(
        at_s=5.0 * number,
        processes=processes,
        wal_mb=float(number % 7),
        database_mb=float(number),
        redis_mb=20.0,
        backlog_bets=3,
        committed_per_s=500.0,
        p50_ms=5.0,
        p99_ms=40.0,
        errors={"CELL_CLOSED": 1} if number % 100 == 0 else {},
    )


def soak(leak_mb: float = 0.0, count: int = 360) -> Soak:
    samples = [sample(number, leak_mb) for number in range(count)]
    return Soak(
        rate=500,
        minutes=30.0,
        seconds=5.0 * count,
        every_s=5.0,
        committed=900_000,
        errors=errors_of(samples),
        trends=trends_of(samples),
        samples=samples,
        audit=Audit(True, "every cent is there"),
        machine=MACHINE,
    )


def test_memory_is_split_into_own_and_mapped() -> None:
    status = "Name:\tx\nVmRSS:\t  900 kB\nRssAnon:\t  500 kB\nRssFile:\t  300 kB\nRssShmem:\t  100 kB\n"
    assert parse_memory(status) == (500, 400)
    assert parse_memory("Name:\tkthreadd\n") == (0, 0)


def test_own_process_has_memory_and_descriptors() -> None:
    found = memory_and_descriptors({"me": os.getpid()})["me"]
    assert found.own_mb > 1
    assert found.descriptors >= 3
    assert members({"me": os.getpid()})[os.getpid()] == "me"


def test_steady_run_is_flat_and_a_leak_is_named() -> None:
    assert soak().is_flat
    leaking = soak(leak_mb=0.1)
    assert not leaking.is_flat
    assert "Growing: api: own memory MB." in section(leaking)


def test_the_load_itself_is_not_judged() -> None:
    assert not any(one.name.startswith("generator") for one in soak().trends)


def test_process_that_was_restarted_has_no_trend() -> None:
    samples = [sample(number) for number in range(10)]
    del samples[4].processes["writer"]
    assert not any(one.name.startswith("writer") for one in trends_of(samples))


def test_section_tells_how_to_run_it_and_what_came_of_it() -> None:
    text = section(soak())
    assert "    make soak MINUTES=30 RATE=500" in text
    assert "errors: 4 CELL_CLOSED. Growing: nothing. every cent is there." in text
    assert len([line for line in text.splitlines() if line.startswith("| ") and "500 |" in line]) == 10
    assert "is not judged" in section(soak(count=30))


def test_section_goes_between_its_markers(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("a\n<!-- soak -->\nold\n<!-- end of soak -->\nb\n")
    display = Display(Console(quiet=True))
    publish("soak", "short", display, renew=False, document=document)
    assert "old" in document.read_text()
    publish("soak", "new", display, document=document)
    assert document.read_text() == "a\n<!-- soak -->\n\nnew\n\n<!-- end of soak -->\nb\n"
    with pytest.raises(NoMarkers):
        publish("spike", "new", display, document=document)


def test_every_section_has_its_markers_in_the_document() -> None:
    document = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    for name in ("soak", "spike", "streams", "growth"):
        assert document.count(f"<!-- {name} -->") == document.count(f"<!-- end of {name} -->") == 1
