"""Run a function within its time limit, count what became of it, and try again after a pause."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from jobs.triggers.deadlines import Deadlines, TimeLimitReached
from runtime.clock import Clock
from runtime.log import FUNCTION
from runtime.metrics.table import Metrics
from runtime.triggers.declaration import Trigger
from runtime.triggers.run import Run

logger = logging.getLogger(__name__)

SUCCEEDED, FAILED, TIMED_OUT, GIVEN_UP = "succeeded", "failed", "timed_out", "given_up"


class FunctionFailed(Exception):
    """An attempt went wrong; the sentence says how, and the log has the traceback."""


class Stopping(Protocol):
    """What ends the pauses between attempts."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait so long; tell whether the process stops."""
        ...


class Attempts:
    """The attempts of one process's functions."""

    def __init__(self, deadlines: Deadlines, metrics: Metrics, clock: Clock, stopping: Stopping) -> None:
        self._deadlines = deadlines
        self._metrics = metrics
        self._clock = clock
        self._stopping = stopping

    def begin_counts(self, trigger: Trigger) -> None:
        """Begin every count at 0: that there was a first failure is seen only by who saw none before."""
        for result in (SUCCEEDED, FAILED, TIMED_OUT, GIVEN_UP):
            self._metrics.count("taptrade_function_runs_total", trigger.name, result, by=0)
        self._metrics.expect("taptrade_function_seconds", trigger.name)

    def once(self, trigger: Trigger, run: Run[Any]) -> Any:
        """Run a function; raise FunctionFailed where it raises or takes too long."""
        began_ms, result = self._clock.monotonic_ms(), FAILED
        FUNCTION.set(trigger.name)
        try:
            with self._deadlines.within(trigger.name, trigger.timeout_s):
                answer = trigger.handler(run)
            result = SUCCEEDED
        except TimeLimitReached:
            result = TIMED_OUT
            logger.warning("%s took longer than %d s", trigger.name, trigger.timeout_s, extra=_about(run))
            raise FunctionFailed(f"took longer than its {trigger.timeout_s} s") from None
        except Exception as ex:
            logger.warning("%s failed", trigger.name, exc_info=ex, extra=_about(run))
            raise FunctionFailed(f"{type(ex).__name__}: {ex}") from ex
        finally:
            self._metrics.count("taptrade_function_runs_total", trigger.name, result)
            seconds = (self._clock.monotonic_ms() - began_ms) / 1000
            self._metrics.observe("taptrade_function_seconds", seconds, trigger.name)
            self._metrics.set("taptrade_function_last_run_seconds", self._clock.now_ms() / 1000, trigger.name)
        return answer

    def all(self, trigger: Trigger, make_run: Callable[[int], Run[Any]]) -> Any:
        """Run a function as often as it may be tried; raise FunctionFailed of the last attempt."""
        attempt = 1
        while True:
            try:
                return self.once(trigger, make_run(attempt))
            except FunctionFailed:
                stops = attempt <= trigger.retries and self._stopping.wait(trigger.pause_s(attempt))
                if stops or attempt > trigger.retries:
                    if not stops:
                        self.give_up(trigger)
                    raise
            attempt += 1

    def give_up(self, trigger: Trigger) -> None:
        """Count that a function is not tried again."""
        self._metrics.count("taptrade_function_runs_total", trigger.name, GIVEN_UP)


def _about(run: Run[Any]) -> dict[str, Any]:
    """Return the fields that a log line about a run has."""
    return {"fields": {"run": run.id, "attempt": run.attempt}}
