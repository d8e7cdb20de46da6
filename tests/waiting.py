"""Wait for conditions, with a deadline, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


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
    deadline_s = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline_s:
            name = what or getattr(condition, "__name__", "condition")
            raise AssertionError(f"waited {timeout_s} s in vain for {name}; last value: {value!r}")
        pause(every_s)
