"""The spike: what counts as taken well."""

from __future__ import annotations

import pytest

from loadtest.machine import Usage
from loadtest.measurement import Found, complaints_of
from loadtest.open_loop import NoRetryAfter, split_answer
from loadtest.report import section
from loadtest.schedule import Figures
from loadtest.spike import MEASUREMENT, died, held, is_normal, phase
from loadtest.system import Audit
from tests.loadtest.test_soak import MACHINE


def stretch(name: str, errors: dict[str, int] | None = None, p99_ms: float = 20.0) -> Found:
    return {
        "name": name,
        "sent": 100,
        "committed": 90,
        "p50_ms": 5.0,
        "p99_ms": p99_ms,
        "max_ms": 30.0,
        "all_p99_ms": 25.0,
        "late_p99_ms": 1.0,
        "errors": errors or {},
    }


def second(at_s: int) -> Found:
    return {"at_s": at_s, "committed": 1_000 * at_s, "errors": 100 * at_s, "backlog_bets": 5_000, "api_mb": 80.0}


def spike(errors: dict[str, int]) -> Found:
    return {
        "options": {"rate": 5_000, "connections": 5_000},
        "held_committed_per_s": 3_000.0,
        "held_others_per_s": 2_000.0,
        "phases": [stretch("before"), stretch("spike", errors, 600.0), stretch("after")],
        "seconds": [second(at_s) for at_s in range(1, 31)],
        "recovered_s": 2.0,
        "died": [],
        "audits": [Audit(True, "every cent is there")],
        "machine": MACHINE,
        "complaints": [],
    }


def test_refusals_with_retry_after_and_late_bets_are_as_it_should_be() -> None:
    taken = spike({"OVERLOADED": 5_000, "PENDING": 300, "CELL_CLOSED": 20})
    assert complaints_of(MEASUREMENT, taken) == []
    assert "Every 503 carried Retry-After." in section("spike", taken)
    assert "5,000 OVERLOADED" in section("spike", taken)
    assert "3,000 bets a second were committed and 2,000 answered otherwise" in section("spike", taken)
    assert len(section("spike: seconds", taken).splitlines()) == 4 + len(taken["seconds"]) // 3


def test_bets_that_were_let_in_and_had_to_wait_are_complained_of() -> None:
    taken = spike({"OVERLOADED": 5_000})
    taken["phases"][1] = stretch("spike", p99_ms=1_500.0)
    assert complaints_of(MEASUREMENT, taken) == ["spike: bets were let in that waited 1,500 ms for their commit (p99)"]


def test_what_was_done_at_the_top_is_counted_between_its_seconds() -> None:
    taken = spike({})
    assert held(taken["seconds"], 10.0, 20.0) == (1_000.0, 100.0)
    assert held(taken["seconds"][:1], 0.0, 20.0) == (0.0, 0.0)


def test_everything_else_is_complained_of() -> None:
    taken = spike({"INTERNAL_ERROR": 1, "NORETRYAFTER": 2, "OVERLOADED": 3})
    taken["died"] = ["api"]
    taken["recovered_s"] = None
    taken["audits"] = [Audit(False, "a cent is missing")]
    assert complaints_of(MEASUREMENT, taken) == [
        "api died",
        "spike: {'INTERNAL_ERROR': 1, 'NORETRYAFTER': 2}",
        "latency did not come back to normal",
        "the money does not add up",
    ]
    taken["complaints"] = ["api died", "no money"]
    assert "**api died; no money**" in section("spike", taken)


def test_a_process_that_was_started_anew_has_died() -> None:
    first = {"api": Usage(pids={1}), "writer": Usage(pids={2}), "redis": Usage(pids={4, 5})}
    calmed = first | {"redis": Usage(pids={4})}
    assert died(first, calmed, calmed | {"api": Usage(pids={3})}) == ["api"]


def test_normal_is_fast_and_without_an_error() -> None:
    assert is_normal(stretch("after"))
    assert not is_normal(stretch("after", p99_ms=100.0))
    assert not is_normal(stretch("after", {"OVERLOADED": 1}))


def test_phase_counts_what_was_sent() -> None:
    figures = Figures()
    figures.good = 7
    figures.errors["OVERLOADED"] = 3
    assert (phase("x", figures)["sent"], phase("x", figures)["committed"]) == (10, 7)


def test_refusals_make_no_phase_look_faster() -> None:
    figures = Figures()
    figures.good_latencies.add(200_000)
    for latency_us in (*[1_000] * 99, 200_000):
        figures.latencies.add(latency_us)
    assert (phase("x", figures)["p50_ms"], phase("x", figures)["all_p99_ms"]) == (200.0, 1.0)


def test_503_must_say_when_to_come_back() -> None:
    answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n%b\r\n{}"
    assert split_answer(answer % b"Retry-After: 2\r\n") == (503, b"{}")
    with pytest.raises(NoRetryAfter):
        split_answer(answer % b"")
