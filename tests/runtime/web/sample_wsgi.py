"""The sample functions as gunicorn serves them, for the test with a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import gevent

from runtime import log
from runtime.clock import SystemClock
from runtime.metrics.table import Metrics
from runtime.rate_limits import Unlimited
from runtime.web.app import create_app
from runtime.web.discovery import discover
from tests.runtime.web.sample_app import QUOTAS, session_of
from tests.sample_functions.good.ticker import TickerParts


class TurningParts(TickerParts):
    """Turns that come by themselves."""

    def turn(self) -> None:
        """Let other requests run."""
        gevent.sleep(0.01)


log.SAME_LINES_MAX = 1_000  # each of many like requests is looked for in the log
log.configure("sample", "INFO")
app = create_app(
    discover(Path(__file__).parents[2] / "sample_functions" / "good"),
    parts=cast("Any", TurningParts()),
    authenticate=session_of,
    limiter=Unlimited(QUOTAS),
    quotas=QUOTAS,
    guards={"breaker": lambda: None},
    clock=SystemClock(),
    metrics=Metrics("sample"),
)
