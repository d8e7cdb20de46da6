"""Our worker with little patience, so that tests of slow clients need none."""

from __future__ import annotations

from runtime.server import TapWorker


class HastyWorker(TapWorker):
    """Waits as little as it can."""

    head_s = 0.5
    body_s = 0.5
    send_s = 0.5
