"""Attempts: within their time limit, tried again after pauses, counted, and given up at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest

from jobs.triggers.attempts import Attempts, FunctionFailed
from jobs.triggers.deadlines import GRACE_MS, Deadlines, TimeLimitReached
from runtime.clock import ManualClock
from runtime.metrics.table import Metrics
from runtime.triggers import Run
from runtime.triggers.declaration import Trigger


class Pauses:
    """The pauses that were waited, without waiting; `stop_in` ends the process in one of them."""

    def __init__(self, stop_in: int = 99) -> None:
        self.seconds: list[float] = []
        self._stop_in = stop_in

    def wait(self, timeout: float | None = None) -> bool:
        """Remember a pause."""
        self.seconds.append(timeout or 0)
        return len(self.seconds) >= self._stop_in


def trigger(handler: Callable[[Run[Any]], Any], **changes: Any) -> Trigger:
    """Declare a handler."""
    given: dict[str, Any] = {"timeout_s": 5, "in_flight": 1, "retries": 2, "backoff_s": 1.0} | changes
    return Trigger(handler, "every", "every 1 s", "Do", name="sample", **given)


def a_run(attempt: int) -> Run[None]:
    """Return a run that stands on nothing."""
    return Run("sample", "sample-1", None, cast("Any", None), attempt)


def counts(metrics: Metrics) -> dict[str, float]:
    """Return what was counted, by result."""
    found = metrics.snapshot(1, 0).counters["taptrade_function_runs_total"]
    return {labels.split("\x1f")[1]: count for labels, count in found.items() if count}


def test_what_fails_is_tried_again_after_longer_and_longer_pauses(clock: ManualClock) -> None:
    metrics, pauses, seen = Metrics("test"), Pauses(), list[int]()

    def handler(run: Run[None]) -> str:
        seen.append(run.attempt)
        if run.attempt < 3:
            raise ValueError("not yet")
        return "done"

    attempts = Attempts(Deadlines(clock), metrics, clock, pauses)
    assert attempts.all(trigger(handler), a_run) == "done"
    assert (seen, pauses.seconds) == ([1, 2, 3], [1.0, 2.0])
    assert counts(metrics) == {"failed": 2, "succeeded": 1}


def test_what_fails_for_good_is_given_up(clock: ManualClock) -> None:
    metrics = Metrics("test")

    def handler(_run: Run[None]) -> None:
        raise ValueError("never")

    with pytest.raises(FunctionFailed, match="ValueError: never"):
        Attempts(Deadlines(clock), metrics, clock, Pauses()).all(trigger(handler), a_run)
    assert counts(metrics) == {"failed": 3, "given_up": 1}


def test_a_process_that_stops_does_not_wait_for_the_next_attempt_and_gives_nothing_up(clock: ManualClock) -> None:
    metrics = Metrics("test")

    def handler(_run: Run[None]) -> None:
        raise ValueError("never")

    with pytest.raises(FunctionFailed):
        Attempts(Deadlines(clock), metrics, clock, Pauses(stop_in=1)).all(trigger(handler), a_run)
    assert counts(metrics) == {"failed": 1}


def test_what_takes_too_long_is_interrupted_though_it_catches_every_exception(clock: ManualClock) -> None:
    metrics, deadlines, begun = Metrics("test"), Deadlines(clock), threading.Event()
    ended: list[BaseException] = []

    def handler(_run: Run[None]) -> None:
        begun.set()
        while True:
            with suppress(Exception):
                threading.Event().wait(0.001)

    def work() -> None:
        try:
            Attempts(deadlines, metrics, clock, Pauses()).once(trigger(handler), a_run(1))
        except FunctionFailed as ex:
            ended.append(ex)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(5)
    assert (deadlines.look(), deadlines.under_way()) == ([], {"sample": 1})
    clock.advance(5_000)
    deadlines.look()
    thread.join(5)
    assert [str(one) for one in ended] == ["took longer than its 5 s"]
    assert (counts(metrics), deadlines.under_way()) == ({"timed_out": 1}, {})


def test_what_no_exception_reaches_is_named_after_its_grace(clock: ManualClock) -> None:
    deadlines = Deadlines(clock)
    stuck = threading.Event()

    def work() -> None:
        with suppress(TimeLimitReached), deadlines.within("sample", 1):
            stuck.wait(10)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while not deadlines.under_way():
        threading.Event().wait(0.001)
    clock.advance(1_000 + GRACE_MS - 1)
    assert deadlines.look() == []
    clock.advance(1)
    assert deadlines.look() == ["sample"]
    stuck.set()
    thread.join(5)
    assert deadlines.under_way() == {}
