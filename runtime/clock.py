"""Time as an argument: wall clock for what happened, monotonic clock for how long; and a time as text."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Tell the time."""

    def now_ms(self) -> int:
        """Return Unix milliseconds, UTC."""
        ...

    def monotonic_ms(self) -> int:
        """Return milliseconds that never step back, for durations only."""
        ...


class SystemClock:
    """Read the machine's clocks."""

    def now_ms(self) -> int:
        """Return Unix milliseconds, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Return milliseconds that never step back."""
        return time.monotonic_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is told to move, for tests."""

    def __init__(self, now_ms: int) -> None:
        self.wall_ms = now_ms
        self.steady_ms = 0

    def now_ms(self) -> int:
        """Return the wall time that was set."""
        return self.wall_ms

    def monotonic_ms(self) -> int:
        """Return the time that passed by `advance`."""
        return self.steady_ms

    def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass on both clocks."""
        self.wall_ms += ms
        self.steady_ms += ms


@lru_cache(maxsize=4096)
def rfc3339(ms: int) -> str:
    """Write Unix milliseconds as RFC 3339 with milliseconds, UTC."""
    whole = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ms % 1000:03d}Z"


def rfc3339_if_any(ms: int | None) -> str | None:
    """Write a time that may not have come."""
    return None if ms is None else rfc3339(ms)
