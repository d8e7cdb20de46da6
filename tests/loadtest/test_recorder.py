"""The histogram of latencies against the exact percentiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench.recorder import LARGEST_US, SUB_BUCKETS, Latencies, bucket_of, upper_us


def recorded(durations: list[int]) -> Latencies:
    latencies = Latencies()
    for duration in durations:
        latencies.add(duration)
    return latencies


def exact(durations: list[int], percent: int) -> int:
    ordered = sorted(durations)
    return ordered[-(-len(ordered) * percent // 100) - 1]


@given(st.lists(st.integers(0, LARGEST_US), min_size=1, max_size=300), st.sampled_from([1, 50, 95, 99, 100]))
def test_percentile_is_right_within_a_bucket(durations: list[int], percent: int) -> None:
    wanted = exact(durations, percent)
    found = recorded(durations).percentile_us(percent)
    assert wanted <= found <= wanted + wanted // SUB_BUCKETS + 1


@given(st.integers(0, LARGEST_US))
def test_bucket_holds_what_goes_into_it(duration: int) -> None:
    bucket = bucket_of(duration)
    assert duration <= upper_us(bucket)
    assert bucket == 0 or upper_us(bucket - 1) < duration


def test_small_durations_are_exact() -> None:
    assert [recorded([duration]).percentile_us(50) for duration in range(2 * SUB_BUCKETS)] == [*range(2 * SUB_BUCKETS)]


def test_hundredth_duration_decides_p99_of_a_hundred_and_one() -> None:
    assert recorded([1] * 99 + [50]).percentile_us(99) == 1
    assert recorded([1] * 99 + [50, 50]).percentile_us(99) == 50


@pytest.mark.parametrize("percent", [50, 99])
def test_nothing_recorded_is_zero(percent: int) -> None:
    assert Latencies().percentile_us(percent) == 0


def test_largest_is_exact_and_clipped_only_in_its_bucket() -> None:
    latencies = recorded([10, 3 * LARGEST_US])
    assert latencies.max_us == 3 * LARGEST_US
    assert latencies.percentile_us(99) == LARGEST_US
