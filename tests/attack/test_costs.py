"""What docs/limits.md says that one call leaves behind, measured: the worst of each route, many times over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from falcon import testing

from runtime.clock import ManualClock, SystemClock
from runtime.game import limit_changes
from runtime.messaging import redis_keys
from runtime.settings import Settings
from runtime.storage.database import PAGE_BYTES
from taptrade.wallet import Audience
from tests.attack.arena import Arena, open_arena
from tests.attack.worst_requests import WORST, Ask, Attacker
from tests.docs.costs import COSTS

ASKED = 100
SLACK_BYTES = 20_480
"""Pages that are begun, and counters of those who ask."""


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return an arena without limits, at the present time."""
    clock.wall_ms = SystemClock().now_ms()
    with open_arena(settings, clock, withdrawals_pending_max=10**6, demo_credit_cents=500_000) as opened:
        yield opened


class At:
    """The arena as the attackers see it."""

    def __init__(self, arena: Arena) -> None:
        self.settings = arena.settings
        domain = arena.settings.domain
        self.audience = Audience(domain, f"http://{domain}", arena.settings.chain_id)


def send(arena: Arena, attacker: Attacker, method: str, ask: Ask) -> testing.Result:
    """Send one request."""
    headers = attacker.headers | {"Content-Type": "application/json"} | ask.headers
    path, _, query = ask.path.partition("?")
    return arena.one.client.simulate_request(method, path, query_string=query, body=ask.body, headers=headers)


def sizes(arena: Arena) -> tuple[int, int]:
    """Return the bytes of the database and of Redis, once all is done and told."""
    arena.desk.work()
    client: Any = arena.desk.client
    client.delete(redis_keys.replies(arena.one.parts.run_id))
    [(pages,)] = arena.desk.database.execute("PRAGMA page_count")
    return pages * PAGE_BYTES, sum(client.memory_usage(key, samples=0) for key in client.keys("*"))


@pytest.mark.parametrize("route", sorted(WORST.keys() - {"GET /api/stream"}))
def test_a_call_leaves_no_more_than_is_said(arena: Arena, route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_changes, "CHANGES_PER_DAY_MAX", 10**6)
    method, _, _ = route.partition(" ")
    attacker, cost = Attacker(At(arena), "203.0.113.1"), COSTS[route]
    attacker.token = send(arena, attacker, "POST", WORST["POST /api/auth/login"][1](attacker)).json["token"]
    left = [0]
    for make in WORST[route]:
        before = sizes(arena)
        for _ in range(ASKED):
            send(arena, attacker, method, make(attacker))
        after = sizes(arena)
        left.append(after[0] - before[0])
        assert after[0] - before[0] <= ASKED * cost.database_bytes + SLACK_BYTES
        assert after[1] - before[1] <= ASKED * cost.redis_bytes + SLACK_BYTES
    assert (max(left) > SLACK_BYTES) is (cost.database_bytes > 0), "what is said to be left is"
