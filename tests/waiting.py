"""Wait for conditions, with a deadline, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SLACK = 20
"""A long wait asks seldom, for asking takes time from what is waited for: it may last a 20th longer for that,"""
SLACK_S_MAX = 0.25
"""and this much at most."""


def wait_until(
    condition: Callable[[], T],
    timeout_s: float = 10.0,
    *,
    every_s: float = 0.02,
    what: str = "",
    pause: Callable[[float], object] = time.sleep,
) -> T:
    """Ask `condition` until it is truthy and return its value; fail the test after `timeout_s`.

    A test with greenlets of its own lets them run in each `pause`.
    """
    begun_s = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited_s = time.monotonic() - begun_s
        if waited_s >= timeout_s:
            name = what or getattr(condition, "__name__", "condition")
            raise AssertionError(f"waited {timeout_s} s in vain for {name}; last value: {value!r}")
        pause(max(every_s, min(waited_s / SLACK, SLACK_S_MAX)))
