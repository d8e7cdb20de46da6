"""A function that gives greenlets something to do, and tells how far they came in one turn of the event loop."""

from __future__ import annotations

import time
from typing import Any

import gevent

GREENLETS = 200
WORK_S = 0.000_05


def woken(_environ: Any, start: Any) -> list[bytes]:
    """Wake greenlets that take 10 ms in all; answer how many were done when the loop looked at the network again."""
    done: list[None] = []
    looks: list[int] = []

    def work() -> None:
        until_s = time.perf_counter() + WORK_S
        while time.perf_counter() < until_s:
            pass
        done.append(None)

    look = gevent.get_hub().loop.check()
    look.start(lambda: looks.append(len(done)))
    gevent.joinall([gevent.spawn(work) for _ in range(GREENLETS)])
    look.stop()
    look.close()
    told = b"%d" % next((seen for seen in looks if seen), len(done))
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
    return [told]
