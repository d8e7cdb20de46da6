"""Two functions that do nothing, in the framework that all functions live in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from runtime.clock import SystemClock
from runtime.metrics.table import Metrics
from runtime.rate_limits import unlimited
from runtime.web.app import create_app
from runtime.web.discovery import discover

app = create_app(
    discover(Path(__file__).parent / "empty"),
    parts=cast("Any", None),
    authenticate=lambda _req: None,
    limiter=unlimited({}),
    quotas={},
    guards={},
    clock=SystemClock(),
    metrics=Metrics("empty"),
)
