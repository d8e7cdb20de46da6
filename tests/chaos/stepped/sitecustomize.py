"""A wall clock that can be stepped: where Python finds this file, it adds an offset from a file to its time.

Durations (the monotonic clock) stay true, as they do when an administrator or NTP sets the clock of a machine.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

READ_EVERY_NS = 20_000_000
NS = 1_000_000_000
_file = Path(os.environ.get("STEPPED_CLOCK_FILE", "/nonexistent"))
_true_ns = time.time_ns
_offset_ns, _read_at_ns = 0, 0


def stepped_ns() -> int:
    """Return the time with the offset that the file tells in whole seconds."""
    global _offset_ns, _read_at_ns  # noqa: PLW0603  one clock a process
    now_ns = time.monotonic_ns()
    if now_ns - _read_at_ns >= READ_EVERY_NS:
        _read_at_ns = now_ns
        try:
            _offset_ns = int(_file.read_text()) * NS
        except (OSError, ValueError):
            _offset_ns = 0
    return _true_ns() + _offset_ns


time.time_ns = stepped_ns
time.time = lambda: stepped_ns() / NS
