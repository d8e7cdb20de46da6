"""Recorded latencies against the textbook's percentiles."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.schedule import Latencies

LARGEST_US = (1 << 32) - 1


def recorded(durations: list[int]) -> Latencies:
    latencies = Latencies()
    for duration in durations:
        latencies.add(duration)
    return latencies


def exact(durations: list[int], percent: int) -> int:
    ordered = sorted(durations)
    return ordered[-(-len(ordered) * percent // 100) - 1]


@given(st.lists(st.integers(0, LARGEST_US), min_size=1, max_size=300), st.sampled_from([1, 50, 95, 99, 100]))
def test_percentile_is_exact(durations: list[int], percent: int) -> None:
    assert recorded(durations).percentile_us(percent) == exact(durations, percent)


def test_hundredth_duration_decides_p99_of_a_hundred_and_one() -> None:
    assert recorded([1] * 99 + [50]).percentile_us(99) == 1
    assert recorded([1] * 99 + [50, 50]).percentile_us(99) == 50


@pytest.mark.parametrize("percent", [50, 99])
def test_nothing_recorded_is_zero(percent: int) -> None:
    assert Latencies().percentile_us(percent) == 0
    assert Latencies().ms(percent) == {f"p{percent}_ms": 0.0}


def test_what_comes_after_a_look_counts_too() -> None:
    latencies = recorded([30, 10])
    assert latencies.percentile_us(100) == 30
    latencies.add(20)
    latencies.add(40)
    assert (latencies.percentile_us(50), latencies.percentile_us(100), len(latencies)) == (20, 40, 4)


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    assert recorded([-5]).percentile_us(100) == 0


def test_it_goes_through_a_pipe() -> None:
    assert pickle.loads(pickle.dumps(recorded([1_234_567]))).ms(50, 100) == {  # noqa: S301  made here
        "p50_ms": 1234.57,
        "max_ms": 1234.57,
    }
