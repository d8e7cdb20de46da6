"""The real system as `taptrade up` runs it, in a data folder of its own, and nginx with the project's configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from msgspec import Struct

from loadtest.bench.processes import BenchFailed, child, free_ports, wait_for
from runtime.clock import SystemClock
from runtime.messaging.connection import connect
from runtime.messaging.redis_keys import EPOCH
from runtime.settings import Settings, load
from taptrade import embedded_redis

RENDER = Path(__file__).parents[2] / "nginx" / "render"
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


class Audit(Struct):
    """How the money was counted at the end of a system's run."""

    adds_up: bool
    summary: str


@dataclass(frozen=True, slots=True)
class System:
    """A running system: its settings, the environment it was started with, its supervisor's process."""

    settings: Settings
    environment: dict[str, str]
    pid: int

    @property
    def redis_url(self) -> str:
        """Where the system's Redis listens."""
        return embedded_redis.redis_url(self.settings)

    def is_ready(self) -> bool:
        """Tell whether bets would be taken: healthy, with a breaker that lets them pass and cells on offer."""
        url = f"http://127.0.0.1:{self.settings.port}"
        if not answers(f"{url}/healthz"):
            return False
        try:
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
def started(data: Path, environment: Mapping[str, str]) -> Iterator[System]:
    """Run `taptrade up` in this environment for the length of the block, with its log in the new folder `data`."""
    data.mkdir()
    with child([sys.executable, "-m", "taptrade", "up"], environment, data / "up.log") as process:
        running = System(load(environment), dict(environment), process.pid)
        wait_for(f"taptrade up ({data})", running.is_ready, process, START_S_MAX)
        wait_for("the next second", running.takes_signatures, process, START_S_MAX)
        yield running


@contextmanager
def system(data: Path, overrides: Mapping[str, str]) -> Iterator[System]:
    """Run a system to measure for the length of the block; other TAPTRADE_ variables of the caller are kept."""
    port, dashboard_port = free_ports(2)
    own = {
        "TAPTRADE_DATA": str(data),
        "TAPTRADE_PORT": str(port),
        "TAPTRADE_DASHBOARD_PORT": str(dashboard_port),
        "TAPTRADE_REDIS_URL": "",
        "TAPTRADE_DOMAIN": "",
    }
    with started(data, {**os.environ, **SETTINGS, **own, **overrides}) as running:
        yield running


def find_nginx() -> str | None:
    """Return nginx's path; as root on a Debian without it, install it first."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found or os.geteuid() or not shutil.which("apt-get"):
        return found
    install = ["apt-get", "install", "-y", "-q", "nginx-light"]
    subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return shutil.which("nginx", path="/usr/sbin:/usr/bin")


@contextmanager
def nginx(binary: str, folder: Path, port: int, api_port: int) -> Iterator[int]:
    """Run nginx on `port` for the length of the block, in front of the API on `api_port`; its process id."""
    folder.mkdir()
    render = ["sh", str(RENDER), str(folder), f"127.0.0.1:{port}", f"127.0.0.1:{api_port}"]
    done = subprocess.run(render, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFailed(f"nginx/render: {done.stderr.strip()}")
    command = [binary, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    log = folder / "output.log"
    with child(command, os.environ, log) as process:
        wait_for(f"nginx ({log})", lambda: answers(f"http://127.0.0.1:{port}/_edge"), process, START_S_MAX)
        yield process.pid


def answers(url: str) -> bool:
    """Tell whether a server answers that all is well."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
