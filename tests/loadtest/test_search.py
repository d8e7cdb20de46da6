"""The search for the highest rate, against systems that carry up to a limit."""

from __future__ import annotations

import pytest

from loadtest.capacity import CLIMB, STEP, at_rate, highest_of, middle_of, next_rate
from loadtest.measurement import Found
from loadtest.stage import is_carried


def rate(p99_ms: float = 50.0, errors: dict[str, int] | None = None, committed_per_s: float = 1000.0) -> Found:
    return {
        "rate": 1000,
        "committed_per_s": committed_per_s,
        "p50_ms": 1.0,
        "p95_ms": 2.0,
        "p99_ms": p99_ms,
        "max_ms": p99_ms,
        "errors": errors or {},
        "late_p99_ms": 0.1,
        "commits_per_s": 10.0,
        "bets_per_commit": 100.0,
        "settled_per_s": 1000.0,
        "cpu_us_per_bet": {},
        "machine_busy": 0.5,
        "redis_mb": 1.0,
        "wal_mb": 1.0,
    }


@pytest.mark.parametrize("limit", [0, 450, 500, 999, 2_345, 3_000, 3_050, 4_000, 4_444, 6_000])
@pytest.mark.parametrize("fixed", [(), (500, 1000, 2000, 3000, 4000)])
def test_finds_the_limit_to_the_step(limit: int, fixed: tuple[int, ...]) -> None:
    known = {each: each <= limit for each in fixed}
    asked = 0
    while (following := next_rate(known, CLIMB)) is not None:
        assert following not in known
        known[following] = following <= limit
        asked += 1
    assert limit - STEP < highest_of(known) <= limit
    assert asked <= 20


def test_a_lower_rate_that_failed_was_bad_luck() -> None:
    assert next_rate({500: True, 1000: False, 2000: True, 2100: False}, CLIMB) is None
    assert highest_of({500: True, 1000: False, 2000: True}) == 2000


def test_climbs_while_nothing_has_failed() -> None:
    assert next_rate({4000: True}, CLIMB) == 4000 + CLIMB
    assert next_rate({}, 3000) == 3000


@pytest.mark.parametrize(
    ("measured", "carried"),
    [
        pytest.param(rate(), True, id="in time"),
        pytest.param(rate(p99_ms=100.0), False, id="too slow"),
        pytest.param(rate(errors={"PENDING": 1}), False, id="an error"),
        pytest.param(rate(committed_per_s=980.0), False, id="falls behind"),
    ],
)
def test_what_carried_means(measured: Found, carried: bool) -> None:
    assert is_carried(measured) is carried


def test_median_of_repeats_takes_errors_for_slow() -> None:
    assert middle_of([rate(10), rate(90), rate(20)])["p99_ms"] == 20
    assert middle_of([rate(10, {"X": 1}), rate(90), rate(20)])["p99_ms"] == 90
    assert not is_carried(middle_of([rate(10, {"X": 1}), rate(20), rate(120)]))


def test_what_the_highest_rate_costs_is_measured_at_that_rate() -> None:
    slow, middle, quick = (rate(p99_ms) | {"rate": 3_000} for p99_ms in (90.0, 60.0, 50.0))
    other = rate(20.0) | {"rate": 500}
    assert at_rate([other, slow, quick, middle], 3_000) is middle
    assert at_rate([other, slow], 0) is other
