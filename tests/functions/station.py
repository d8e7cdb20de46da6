"""The operators' functions over a real Redis and a real database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import redis
from falcon import testing

import functions
from runtime.background import Background
from runtime.clock import ManualClock
from runtime.game.breaker import Breaker, State
from runtime.messaging.connection import OUTAGES
from runtime.messaging.redis_keys import BACKLOG_BETS, BREAKER, FEED_ALIVE, SETTLER_ALIVE, TICK_LATEST, WRITER_ALIVE
from runtime.messaging.redis_values import encode_tick
from runtime.metrics.table import Metrics
from runtime.rate_limits import Unlimited, policies
from runtime.settings import Settings
from runtime.storage.read_pool import ReadPool
from runtime.web.app import create_app
from runtime.web.discovery import discover
from tests.jobs.writer_desk import tick_at

OPERATORS = ("health.", "metrics", "version", "time", "openapi")
PARTS = {"database", "redis", "background", "price_feed", "breaker", "scheduler", "writer"}


@dataclass
class Station:
    """The operators' functions over a real Redis and a real database."""

    client: testing.TestClient
    settings: Settings
    redis: redis.Redis
    clock: ManualClock
    background: Background

    def be_well(self) -> None:
        """Leave what processes leave that are well."""
        now_ms = self.clock.now_ms()
        self.redis.mset(
            {
                FEED_ALIVE: now_ms,
                SETTLER_ALIVE: "{}",
                WRITER_ALIVE: "{}",
                BACKLOG_BETS: 7,
                TICK_LATEST: encode_tick(tick_at(now_ms - 400)),
            }
        )
        self.set_breaker(Breaker(State.HEALTHY, now_ms, now_ms))

    def set_breaker(self, breaker: Breaker) -> None:
        """Set the breaker."""
        self.redis.set(BREAKER, msgspec.json.encode(breaker.to_dict()))

    def health(self) -> tuple[int, dict[str, bool]]:
        """Return the status of /healthz and what each check says."""
        answer = self.client.simulate_get("/healthz")
        checks = {name: check["ok"] for name, check in answer.json["checks"].items()}
        assert answer.json["ok"] == all(checks.values())
        assert answer.json["mode"] == "demo"
        return answer.status_code, checks


def open_station(
    settings: Settings, client: redis.Redis, clock: ManualClock, background: Background
) -> tuple[Station, ReadPool]:
    pool = ReadPool(settings.database, clock)
    quotas = policies(settings)
    app = create_app(
        [one for one in discover(Path(functions.__path__[0])) if one.name.startswith(OPERATORS)],
        parts=cast(
            "Any", SimpleNamespace(settings=settings, redis=client, pool=pool, background=background, shards=())
        ),
        authenticate=lambda _: None,
        limiter=Unlimited(quotas),
        quotas=quotas,
        guards={},
        clock=clock,
        metrics=Metrics("api"),
        outages=OUTAGES,
    )
    return Station(testing.TestClient(app), settings, client, clock, background), pool
