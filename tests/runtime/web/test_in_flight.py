"""Limits of what is under way: one call more is refused, one that takes too long is ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import msgspec
import pytest
from gevent.event import Event

from runtime.clock import ManualClock
from runtime.function_files import DECLARATION
from runtime.metrics.table import Metrics
from runtime.web.call import Call
from runtime.web.declaration import function
from runtime.web.in_flight import TimeLimits
from tests.runtime.web.sample_app import SampleApp, build, problem


class Said(msgspec.Struct, frozen=True):
    """An answer."""

    text: str


class Slow:
    """An app of one endpoint that waits until the test lets it go on."""

    def __init__(self, in_flight: int, workers: int = 1) -> None:
        self.go_on, self.begun = Event(), Event()
        clock, self.metrics = ManualClock(0), Metrics("test")
        self.limits = TimeLimits(clock, self.metrics, workers)

        @function("GET", "/slow", auth="none", summary="Wait", response=Said, in_flight=in_flight, timeout_s=60)
        def slow(_call: Call[None, Any, Any]) -> Said:
            self.begun.set()
            try:
                self.go_on.wait(10)
            except Exception:  # noqa: BLE001  no handler of ours may stop the limit
                return Said("caught")
            return Said("done")

        self.sample: SampleApp = build((getattr(slow, DECLARATION),), time_limits=self.limits)
        self.limit_clock = clock

    def call(self) -> Any:
        """Begin a call in a greenlet of its own, and wait until it is under way."""
        self.begun.clear()
        calling = gevent.spawn(self.sample.call, "GET", "/slow")
        self.begun.wait(5)
        return calling

    def under_way(self) -> float:
        """Return what the metrics say of it."""
        self.limits.look()
        return self.metrics.snapshot(1, 0).gauges["taptrade_function_in_flight"][""]


def test_one_call_more_than_may_be_under_way_is_refused_and_the_next_is_not() -> None:
    slow = Slow(in_flight=2)
    calls = [slow.call(), slow.call()]
    assert slow.under_way() == 2
    refused = slow.sample.call("GET", "/slow")
    assert problem(refused, 503, "OVERLOADED")["retryable"]
    assert refused.headers["retry-after"] == "1"
    slow.go_on.set()
    assert [one.get(timeout=5).json for one in calls] == [{"text": "done"}] * 2
    assert slow.sample.call("GET", "/slow").json == {"text": "done"}
    assert slow.under_way() == 0


@pytest.mark.parametrize(("workers", "part"), [(1, 3), (2, 1), (4, 1)])
def test_each_of_several_processes_keeps_its_part_of_the_limit(workers: int, part: int) -> None:
    slow = Slow(in_flight=3, workers=workers)
    calls = [slow.call() for _ in range(part)]
    problem(slow.sample.call("GET", "/slow"), 503, "OVERLOADED")
    slow.go_on.set()
    assert [one.get(timeout=5).json for one in calls] == [{"text": "done"}] * part


def test_a_call_that_takes_too_long_is_ended_and_its_greenlet_goes_on_with_the_next() -> None:
    slow = Slow(in_flight=1)
    answers: list[Any] = []

    def two_calls() -> None:
        answers.append(slow.sample.call("GET", "/slow"))
        slow.go_on.set()
        answers.append(slow.sample.call("GET", "/slow"))

    calling = gevent.spawn(two_calls)
    slow.begun.wait(5)
    slow.limits.look()
    gevent.sleep(0)
    assert answers == []
    slow.limit_clock.advance(60_000 + 10**9)
    for _ in range(3):  # once is enough: it must not be ended a second time, while it is at the next call
        slow.limits.look()
    calling.join(5)
    assert "took longer than 60 s" in problem(answers[0], 503, "UNAVAILABLE")["detail"]
    assert answers[1].json == {"text": "done"}


@pytest.mark.parametrize("wrong", [{"in_flight": 0}, {"timeout_s": 0}])
def test_limits_below_one_are_refused(wrong: dict[str, int]) -> None:
    declare: Callable[..., Any] = function
    with pytest.raises(Exception, match="is less than 1"):
        declare("GET", "/x", auth="none", summary="X", **wrong)(lambda call: call)
