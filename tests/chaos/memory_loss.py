"""A Redis that dies and has forgotten its last second, as after a loss of power: its log is cut where it was then."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.chaos.stage import Stage
from tests.waiting import wait_until

TIMES = 6
FORGOTTEN_S = 1.0


def redis_forgets(stage: Stage) -> None:
    """Kill Redis and take away what it logged in its last second, several times."""
    for number in range(1, TIMES + 1):
        log = newest_log(stage.system.data)
        kept_bytes = log.stat().st_size
        stage.pause(FORGOTTEN_S)
        pid = wait_until(lambda: stage.system.pid_of("redis"), 20, what="Redis to run")
        # The kernel keeps what a killed process wrote, so only a cut can show what a loss of power would do. Redis
        # stands still until the supervisor knows that it is to stay down; then it dies without another word.
        os.kill(pid, signal.SIGSTOP)
        stage.system.halt("redis", wait=False)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not stage.system.pid_of("redis"), 20, what="the end of Redis")
        if newest_log(stage.system.data) == log:
            os.truncate(log, kept_bytes)
        stage.system.resume("redis")
        stage.aimed_kills += 1
        stage.tell(f"Redis forgot its last second, {number} of {TIMES}")
        stage.crowd.wait_for_bets(3, 60)


def newest_log(data: Path) -> Path:
    """Return the file that Redis appends to now."""
    return max((data / "redis" / "appendonlydir").glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)
