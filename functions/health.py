"""GET /healthz: is the whole system well? GET /readyz: can this process answer?"""

from __future__ import annotations

import msgspec

from runtime.function import Call, Reply, function
from runtime.health.status import Check, newest_commit, process_checks, read_status, system_checks
from runtime.messaging.metrics_exchange import gather, take, works_down


class Health(msgspec.Struct, frozen=True):
    """The sum of the checks, and each of them."""

    ok: bool
    mode: str
    checks: dict[str, Check]


@function(
    "GET", "/healthz", auth="none", summary="Health of the whole system, for the operator", response=Health, also=(503,)
)
def healthz(call: Call[None]) -> Reply:
    """Check every part; 503 when one is not well."""
    parts = call.parts
    status = read_status(parts.redis, call.received_ms)
    own = take(call.surroundings.metrics, call.surroundings.clock, parts.background)
    down = works_down(gather(parts.redis, own))
    return _report(call, system_checks(status, newest_commit(parts.pool), down))


@function(
    "GET", "/readyz", auth="none", summary="Readiness of this process, for containers", response=Health, also=(503,)
)
def readyz(call: Call[None]) -> Reply:
    """Check the database, Redis and what runs in the background here; 503 when one of it is not well."""
    parts = call.parts
    status = read_status(parts.redis, call.received_ms)
    return _report(call, process_checks(status, newest_commit(parts.pool), parts.background.down()))


def _report(call: Call[None], checks: dict[str, Check]) -> Reply:
    ok = all(check.ok for check in checks.values())
    return Reply(Health(ok=ok, mode=call.parts.settings.mode, checks=checks), status=200 if ok else 503)
