"""The real system, as `taptrade up` runs it, in a data folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from loadtest.bench.children import child, free_ports, wait_for
from loadtest.bench.results import Audit
from runtime.clock import SystemClock
from runtime.messaging.connection import connect
from runtime.messaging.redis_keys import EPOCH
from runtime.settings import Settings, load
from taptrade import embedded_redis

START_S_MAX = 90
AUDIT_S_MAX = 600
PLENTY = str(10**9)
SETTINGS = {
    # Prices without pauses: a recording's gaps would stop the bets.
    "TAPTRADE_FEED": "sim",
    # All players come from one address and bet against one house; what protects a public one would measure itself.
    "TAPTRADE_BETS_PER_MINUTE": PLENTY,
    "TAPTRADE_LOGINS_PER_MINUTE": PLENTY,
    "TAPTRADE_REQUESTS_PER_MINUTE": PLENTY,
    "TAPTRADE_CELL_PAYOUT_MAX_CENTS": PLENTY,
    "TAPTRADE_COLUMN_PAYOUT_MAX_CENTS": str(10**12),
    "TAPTRADE_LIABILITY_MAX_CENTS": str(10**14),
}


@dataclass(frozen=True, slots=True)
class System:
    """A running system: its settings, the environment it was started with, its supervisor's process."""

    settings: Settings
    environment: dict[str, str]
    pid: int

    @property
    def domain(self) -> str:
        """The domain that logins are signed for."""
        return self.settings.domain

    @property
    def redis_url(self) -> str:
        """Where the system's own Redis listens."""
        return embedded_redis.redis_url(self.settings)

    def is_ready(self) -> bool:
        """Tell whether bets would be taken: healthy, with a breaker that lets them pass and cells on offer."""
        url = f"http://127.0.0.1:{self.settings.port}"
        try:
            if not httpx.get(f"{url}/healthz", timeout=5, trust_env=False).is_success:
                return False
            grid = httpx.get(f"{url}/api/grid", timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return grid.is_success and any(rate for column in grid.json()["rates_bp"] for rate in column)

    def takes_signatures(self) -> bool:
        """Tell whether the second is over in which Redis came up: what is signed in it is refused."""
        with connect(self.redis_url) as client:
            return int(client.hget(EPOCH, "since_s") or 0) < SystemClock().now_ms() // 1000

    def audit(self) -> Audit:
        """Count the money."""
        command = [sys.executable, "-m", "taptrade", "audit"]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=AUDIT_S_MAX, check=False
        )
        lines = (done.stdout.strip() or done.stderr.strip() or "no output").splitlines()
        return Audit(done.returncode == 0, lines[-1])


@contextmanager
def system(data: Path, overrides: Mapping[str, str]) -> Iterator[System]:
    """Run the system for the length of the block; other TAPTRADE_ variables of the caller are kept."""
    port, dashboard_port = free_ports(2)
    environment = {
        **os.environ,
        **SETTINGS,
        "TAPTRADE_DATA": str(data),
        "TAPTRADE_PORT": str(port),
        "TAPTRADE_DASHBOARD_PORT": str(dashboard_port),
        "TAPTRADE_REDIS_URL": "",
        "TAPTRADE_DOMAIN": "",
        **overrides,
    }
    data.mkdir()
    with child([sys.executable, "-m", "taptrade", "up"], environment, data / "up.log") as process:
        running = System(load(environment), environment, process.pid)
        wait_for(f"taptrade up ({data})", running.is_ready, process, START_S_MAX)
        wait_for("the next second", running.takes_signatures, process, START_S_MAX)
        yield running
