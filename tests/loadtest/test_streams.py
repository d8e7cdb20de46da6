"""Readers of the stream: frames counted, reach and memory worked out."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.feed.recording import read_recording
from loadtest.machine import Usage
from loadtest.measurement import complaints_of
from loadtest.readers import NotAStream, Tally
from loadtest.report import section
from loadtest.streams import MEASUREMENT, NEVER_SKIPPED, P99_MS_MAX, kb_per_stream, lost, reach_of, write_prices
from loadtest.system import Audit
from runtime.stream import sse
from tests.loadtest.test_soak import MACHINE
from tests.loadtest.test_spike import stretch

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 1500\n\n"
NOW_US = 1_050_000


def frame(kind: str, public: str, commit: int = 7, n: int = 0) -> bytes:
    return sse.frame(kind, sse.Cursor("epoch", public, commit, n), b'{"a":1}')


def tally() -> Tally:
    found = Tally()
    found.open_window(1_000, 2_000)
    return found


STREAM = (
    HEAD
    + frame("hello", "0-0")
    + frame("price", "999-0")
    + frame("price", "1000-0")
    + sse.HEARTBEAT
    + frame("grid", "1020-1")
    + frame("touched", "1030-0")
    + frame("column", "1030-0", 8, 3)
    + frame("price", "2000-0")
)


def test_every_interval_has_a_price(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    write_prices(path, length_s=60)
    times_ms = read_recording(path).times_ms
    assert {time_ms // 100 for time_ms in times_ms} == set(range(times_ms[0] // 100, times_ms[0] // 100 + 600))


def test_events_of_the_window_are_counted() -> None:
    found = tally()
    assert found.take(STREAM, NOW_US) == b""
    assert found.received == {
        (b"price", b"1000-0"): 1,
        (b"grid", b"1020-1"): 1,
        (b"touched", b"1030-0"): 1,
        (b"column", b"8.3"): 1,
    }
    assert found.ages[b"price"].percentile_us(100) == 50_000
    assert found.ages[b"grid"].percentile_us(100) == 30_000


@pytest.mark.parametrize("size", [1, 7, 64])
def test_split_frames_count_once(size: int) -> None:
    found, whole, left = tally(), tally(), b""
    whole.take(STREAM, NOW_US)
    for start in range(0, len(STREAM), size):
        left = found.take(left + STREAM[start : start + size], NOW_US)
    assert found.received == whole.received


def test_refused_stream_is_told() -> None:
    with pytest.raises(NotAStream, match="503 Service Unavailable"):
        tally().take(b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}\n\n", NOW_US)


def test_reach_compares_with_what_was_published() -> None:
    found = tally()
    for _ in range(9):
        found.take(STREAM, NOW_US)
    published = {"price": {b"1000-0", b"1100-0"}, "touched": {b"1030-0"}, "grid": {b"1020-1"}, "column": set[bytes]()}
    reach = reach_of(found, published, 10, frozenset({"price", "touched", "column"}))
    assert set(reach) == {"price", "touched"}
    assert reach["price"] == {"published": 2, "received": 9, "missing": 11}
    assert reach["touched"]["missing"] == 1


def test_overtaken_prices_are_no_loss() -> None:
    found = tally()
    found.take(STREAM, NOW_US)
    published = {"price": {b"1000-0", b"1100-0"}, "touched": {b"1030-0"}}
    reach = reach_of(found, published, 1, sse.EVERYTHING)
    crowd = {
        "events": "",
        "clients": 1,
        "dropped": 0,
        "lost": lost(reach),
        "price_p50_ms": 10.0,
        "price_p99_ms": 249.0,
        "price_max_ms": 300.0,
        "grid_p99_ms": 10.0,
        "reach": reach,
        "mb_per_s": 1.0,
        "kb_per_stream": {},
        "cpu_percent": {},
        "bets": stretch("bets"),
    }
    run = {
        "options": {"clients": 1, "rate": 1, "seconds": 1.0},
        "p99_ms_max": P99_MS_MAX,
        "never_skipped": NEVER_SKIPPED,
        "crowds": [crowd],
        "audits": [Audit(True, "")],
        "machine": MACHINE,
    }
    assert crowd["lost"] == 0
    assert "1 overtaken" in section("streams", run)
    assert complaints_of(MEASUREMENT, run) == []
    reach["touched"]["missing"] = 1
    crowd["lost"] = lost(reach)
    crowd["price_p99_ms"] = 250.0
    run["audits"] = [Audit(False, "")]
    assert complaints_of(MEASUREMENT, run) == [
        "Readers of everything got prices 250 ms old (p99).",
        "Of everything, 1 events were lost and 0 readers dropped.",
        "the money does not add up",
    ]


def test_memory_is_divided_by_the_streams() -> None:
    before = {"api": Usage(own_mb=60.0), "nginx": Usage(own_mb=10.0), "writer": Usage()}
    after = {
        "api": Usage(own_mb=80.0),
        "nginx": Usage(own_mb=15.0),
        "writer": Usage(own_mb=9.0),
    }
    assert kb_per_stream(before, after, 4_000.0, 1_000) == {"api": 20.5, "nginx": 5.1, "kernel": 4.0}
