"""Jobs that leave a mark in Redis, for tests of workers and scheduler."""

from __future__ import annotations

import os
import signal

from runtime.messaging.connection import connect


def note(key: str, value: str = "") -> dict[str, str]:
    """Append to a list and return JSON."""
    client = connect(os.environ["TAPTRADE_REDIS_URL"])
    client.rpush(key, value or "ran")
    client.close()
    return {"noted": key}


def fail() -> None:
    """Go wrong."""
    raise RuntimeError("on purpose")


def note_when_told_to_stop(key: str) -> dict[str, str]:
    """Have the process told to stop, and do what `note` does all the same."""
    os.kill(os.getpid(), signal.SIGTERM)
    return note(key)
