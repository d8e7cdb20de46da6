"""An app over the sample functions, with everything around it in the test's hands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import falcon
from falcon import testing

from runtime.auth.sessions import Session
from runtime.clock import ManualClock
from runtime.errors import Unavailable
from runtime.metrics.table import Metrics
from runtime.rate_limits import Hit, LimitDecision, LimitPolicy
from runtime.web.app import create_app
from runtime.web.declaration import Function
from runtime.web.discovery import discover
from tests.sample_functions.good.ticker import TickerParts
from tests.sample_functions.good.trouble import PartAwayError

SAMPLES = Path(__file__).parents[2] / "sample_functions"
GOOD = SAMPLES / "good"
BROKEN = SAMPLES / "broken"
NOW_MS = 1_790_000_000_000
WALLET = "0x" + "ab" * 20
BEARER = {"Authorization": "Bearer good"}
QUOTAS = {
    "bets": LimitPolicy("bets", 3, 60, "wallet"),
    "logins": LimitPolicy("logins", 2, 60, "address"),
    "requests": LimitPolicy("requests", 2, 60, "address"),
}


def session_of(req: falcon.Request) -> Session | None:
    """Know one token."""
    if req.get_header("Authorization") != "Bearer good":
        return None
    return Session("id", "user", WALLET, None, None, NOW_MS, NOW_MS + 1000)


@dataclass
class CountingLimiter:
    """Count in memory; `away` makes it fail like one without its Redis."""

    hits: dict[tuple[str, str], int] = field(default_factory=dict)
    away: bool = False

    any_spent = False

    def spent(self, _bucket: str, _who: str) -> LimitDecision | None:
        """Remember nothing."""
        return None

    def remember(self, _bucket: str, _who: str, _now_ms: int) -> None:
        """Forget it."""

    def count(self, *hits: Hit) -> tuple[LimitDecision, ...]:
        """Count and decide."""
        if self.away:
            raise Unavailable("Requests cannot be counted right now.")
        return tuple(map(self._count, hits))

    def _count(self, hit: Hit) -> LimitDecision:
        hits = self.hits[hit] = self.hits.get(hit, 0) + 1
        limit = QUOTAS[hit[0]].limit
        return LimitDecision(hit[0], hits <= limit, limit, max(0, limit - hits), 42)


@dataclass
class SampleApp:
    """A client of the sample functions and what stands around them."""

    client: testing.TestClient
    clock: ManualClock
    metrics: Metrics
    limiter: CountingLimiter
    parts: TickerParts

    def call(self, method: str, path: str, **options: Any) -> testing.Result:
        """Send a request."""
        return self.client.simulate_request(method, path, **options)

    def send(self, method: str, path: str, body: Any, **options: Any) -> testing.Result:
        """Send a request with a JSON body, signed in."""
        headers = BEARER | options.pop("headers", {})
        return self.client.simulate_request(method, path, json=body, headers=headers, **options)


def build(
    functions: tuple[Function, ...] | None = None,
    guards: Mapping[str, Callable[[], None]] | None = None,
    **options: Any,
) -> SampleApp:
    """Build the app."""
    clock, metrics, limiter, parts = ManualClock(NOW_MS), Metrics("test"), CountingLimiter(), TickerParts()
    app = create_app(
        functions or discover(GOOD),
        parts=cast("Any", parts),
        authenticate=session_of,
        limiter=limiter,
        quotas=QUOTAS,
        guards={"breaker": lambda: None} if guards is None else guards,
        clock=clock,
        metrics=metrics,
        outages=(PartAwayError,),
        **options,
    )
    return SampleApp(testing.TestClient(app), clock, metrics, limiter, parts)


def problem(answer: testing.Result, status: int, code: str) -> dict[str, Any]:
    """Check the form of an error and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json
    assert body["code"] == code
    assert body["status"] == status
    assert body["detail"]
    assert body["title"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body
