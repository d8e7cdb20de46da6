"""The schedule of the open loop, on a clock of our own."""

from __future__ import annotations

import pytest

from loadtest.schedule import GIVE_UP_S, WAIT_S_MAX, Plan, Schedule

START_S = 1000.0


def schedule(rate: int = 10, warm_up_s: float = 1.0, measure_s: float = 2.0) -> Schedule:
    return Schedule(Plan(rate, warm_up_s, measure_s), START_S)


def test_requests_are_due_at_equal_distances() -> None:
    run = schedule()
    assert run.is_due(START_S)
    assert run.take(START_S) == START_S
    assert not run.is_due(START_S + 0.09)
    assert run.is_due(START_S + 0.1)


def test_latency_counts_from_when_it_was_due_not_from_when_it_left() -> None:
    run = schedule(warm_up_s=0.0)
    due_s = run.take(START_S + 0.7)
    run.note(due_s, START_S + 0.8, "")
    assert run.figures.latencies.percentile_us(100) == 800_000
    assert run.figures.lateness.percentile_us(100) == 700_000


def test_latencies_of_wanted_answers_are_kept_apart() -> None:
    run = schedule(warm_up_s=0.0)
    run.note(run.take(START_S), START_S + 0.2, "")
    run.note(run.take(START_S), START_S + 0.5, "OVERLOADED")
    assert (len(run.figures.latencies), len(run.figures.good_latencies)) == (2, 1)
    assert run.figures.good_latencies.percentile_us(100) == 200_000


def test_warm_up_leaves_no_figures_but_errors() -> None:
    run = schedule()
    run.note(run.take(START_S), START_S + 0.5, "")
    run.note(run.take(START_S + 0.1), START_S + 0.5, "OVERLOADED")
    figures = run.figures
    assert (len(figures.latencies), figures.good, figures.good_in_window) == (0, 1, 0)
    assert figures.errors == {"OVERLOADED": 1}


def test_answer_after_the_end_is_no_throughput_of_the_window() -> None:
    run = schedule()
    last_s = [run.take(START_S + 3) for _ in range(30)][-1]
    run.note(last_s, START_S + 2.9, "")
    run.note(last_s, START_S + 3.0, "")
    assert (run.figures.good, run.figures.good_in_window) == (2, 1)


def test_ends_with_the_last_answer() -> None:
    run = schedule(rate=1, warm_up_s=0.0)
    first_s, second_s = run.take(START_S), run.take(START_S + 1)
    assert not run.is_due(START_S + 5)
    run.note(first_s, START_S + 1, "")
    assert not run.is_over(START_S + 5)
    run.note(second_s, START_S + 5, "")
    assert run.is_over(START_S + 5)


def test_what_never_left_is_an_error_of_its_age() -> None:
    run = schedule(rate=2, warm_up_s=0.0, measure_s=1.0)
    run.note(run.take(START_S), START_S + 0.1, "")
    end_s = START_S + 1 + GIVE_UP_S
    assert run.is_over(end_s)
    run.give_up(end_s)
    assert run.figures.errors == {"NEVER_SENT": 1}
    assert run.figures.latencies.percentile_us(100) == pytest.approx(1e6 * (end_s - START_S - 0.5))


def test_waits_no_longer_than_the_next_is_away() -> None:
    run = schedule(rate=100)
    run.take(START_S)
    assert run.until_due_s(START_S + 0.004) == pytest.approx(0.006)
    assert run.until_due_s(START_S + 0.5) == 0
    slow = schedule(rate=1)
    slow.take(START_S)
    assert slow.until_due_s(START_S) == WAIT_S_MAX


def test_without_a_rate_the_next_is_always_due_until_the_end() -> None:
    run = schedule(rate=0)
    assert run.is_due(START_S + 2.9)
    assert run.take(START_S + 1.5) == START_S + 1.5
    assert not run.is_due(START_S + 3.0)
    assert not run.is_over(START_S + 3.0)
    run.note(START_S + 1.5, START_S + 2.0, "")
    assert run.is_over(START_S + 3.0)
    assert run.figures.good_in_window == 1


def test_ramp_rises_holds_and_falls() -> None:
    plan = Plan(1_000, 0.0, 30.0, ramp_s=10.0)
    due_s = [plan.due_after_s(number) for number in range(plan.total)]
    by_second = [sum(second <= one < second + 1 for one in due_s) for second in range(30)]
    assert plan.total == 20_000
    assert due_s == sorted(due_s)
    assert by_second[0] == pytest.approx(50, abs=1)
    assert by_second[9] == pytest.approx(950, abs=2)
    assert by_second[10:20] == pytest.approx([1_000] * 10, abs=2)
    assert by_second[29] == pytest.approx(50, abs=2)


def test_requests_follow_the_ramp() -> None:
    run = Schedule(Plan(10, 0.0, 3.0, ramp_s=1.0), START_S)
    assert run.take(START_S) == START_S
    assert not run.is_due(START_S + 0.4)
    assert run.take(START_S + 0.5) == pytest.approx(START_S + 0.2**0.5)
