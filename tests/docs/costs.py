"""What one call of each route costs at most; docs/limits.md shows it, tests/attack/test_costs.py measures it.

CPU is that of all processes together, an order of magnitude, as `python -m tests.attack.worst --unlimited` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Cost:
    """The worst that one call can do."""

    cpu_ms: float
    database_bytes: int = 0
    """Kept for ever, with its share of the indexes and of its commit."""
    redis_bytes: int = 0
    redis_s: int = 0
    """How long these are kept."""
    bound: str = ""
    """What bounds it beside the buckets."""


NGINX = "nginx: 200 requests a second of an address"
FILES = "nginx: 600 files a second of an address"
OPERATORS = "operators only, else 401 or 403 at the door"
INSIDE = "nginx: private networks only"
COSTS: dict[str, Cost] = {
    "GET /": Cost(0.1, bound=FILES),
    "POST /api/auth/guest": Cost(4, 3_500, 2_000, DAY_S, "30,000 sessions live; 100 of a guest; demo mode only"),
    "POST /api/auth/login": Cost(4, 5_500, 2_000, DAY_S, "30,000 sessions live; 100 of a wallet"),
    "POST /api/auth/logout": Cost(0.5),
    "GET /api/bets": Cost(5),
    "POST /api/bets": Cost(5, 6_000, 14_000, 100, "guards; the backlog; for what is taken, the balance"),
    "GET /api/bets/{bet_id}": Cost(4),
    "GET /api/columns/{start}": Cost(0.7),
    "GET /api/deposits": Cost(8),
    "POST /api/deposits": Cost(4, 2_000, 300, 60, "`TAPTRADE_DEPOSIT_MAX_CENTS`; demo mode only"),
    "GET /api/grid": Cost(0.5),
    "GET /api/ledger": Cost(3),
    "GET /api/me": Cost(0.9),
    "GET /api/me/limits": Cost(1, bound="the bets of today are counted: 20,000 take 30 ms, none more than 50"),
    "PUT /api/me/limits": Cost(5, 1_500, 300, 60, "50 changes of a wallet in 24 h, then only halves and doubles"),
    "GET /api/me/reality-check": Cost(2, bound="an entry is counted once by a process; 20,000 at once take 80 ms"),
    "POST /api/me/reality-check": Cost(2, 0, 150, 14_400, "one of an account, while it plays"),
    "GET /api/me/sessions": Cost(2),
    "DELETE /api/me/sessions/{session_id}": Cost(0.7),
    "POST /api/operate/breaker": Cost(1, bound=OPERATORS),
    "GET /api/operate/buckets": Cost(1, bound=OPERATORS),
    "POST /api/operate/buckets/open": Cost(1, bound=OPERATORS),
    "GET /api/operate/exposure": Cost(1, bound=OPERATORS),
    "POST /api/operate/login": Cost(3, bound=OPERATORS),
    "POST /api/operate/logout": Cost(1, bound=OPERATORS),
    "GET /api/operate/overview": Cost(1, bound=OPERATORS),
    "GET /api/operate/session": Cost(1, bound=OPERATORS),
    "GET /api/operate/withdrawals": Cost(1, bound=OPERATORS),
    "POST /api/operate/withdrawals/{withdrawal_id}/complete": Cost(1, bound=OPERATORS),
    "POST /api/operate/withdrawals/{withdrawal_id}/reverse": Cost(1, bound=OPERATORS),
    "POST /api/me/wallet": Cost(4, bound="one wallet of a guest, for ever: 3,500 bytes and a session; demo mode only"),
    "GET /api/price": Cost(0.4),
    "GET /api/prices": Cost(2),
    "POST /api/processor/deposits": Cost(0.9, bound="what is right has the processors' signature"),
    "GET /api/rules": Cost(0.3),
    "GET /api/stream": Cost(4, bound="nginx: 400 connections of an address"),
    "GET /api/time": Cost(0.1, bound=NGINX),
    "GET /api/withdrawals": Cost(3),
    "POST /api/withdrawals": Cost(5, 3_000, 1_000, 90, "`TAPTRADE_WITHDRAWALS_PENDING_MAX`; the balance"),
    "GET /bets/{bet_id}": Cost(0.1, bound=FILES),
    "GET /docs": Cost(0.1, bound=FILES),
    "GET /healthz": Cost(0.7, bound=INSIDE),
    "GET /metrics": Cost(7, bound=INSIDE),
    "GET /openapi.json": Cost(0.2, bound=NGINX),
    "GET /operate": Cost(0.1, bound=FILES),
    "GET /page/{name:path}": Cost(0.2, bound=FILES),
    "GET /readyz": Cost(0.6, bound=NGINX),
    "GET /version": Cost(0.1, bound=NGINX),
}
