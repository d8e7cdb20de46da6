"""The real system as `taptrade up` runs it, seen from outside and from its stores, and nginx in front of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from loadtest.machine import MB
from loadtest.processes import BenchFailed, child, free_port, wait_for
from loadtest.revision import HERE, Revision
from runtime.clock import SystemClock
from runtime.messaging.connection import Redis, connect
from runtime.messaging.redis_keys import BACKLOG_BETS, EPOCH
from runtime.settings import Settings, load
from runtime.settings_table import TABLE
from runtime.storage.database import Database, open_reader
from taptrade import embedded_redis
from taptrade.client import ApiError, TapClient

START_S_MAX = 90
AUDIT_S_MAX = 600
PLENTY = str(10**9)
RATES = ("_PER_MINUTE", "_PER_DAY")
OURS = frozenset(row.variable for row in TABLE)
NO_RATES = {variable: PLENTY for variable in OURS if variable.endswith(RATES)}
"""No wallet and no address asks too often."""
SETTINGS = {
    # Prices without pauses: a recording's gaps would stop the bets.
    "TAPTRADE_FEED": "sim",
    # All players come from one address and bet against one house; what protects a public one would measure itself.
    **NO_RATES,
    "TAPTRADE_CELL_PAYOUT_MAX_CENTS": PLENTY,
    "TAPTRADE_COLUMN_PAYOUT_MAX_CENTS": str(10**12),
    "TAPTRADE_LIABILITY_MAX_CENTS": str(10**14),
}


WITHIN = """
SELECT count(*) AS commits, count(first_bet_seq) AS with_bets,
    coalesce(sum(last_bet_seq - first_bet_seq + 1), 0) AS bets,
    (SELECT count(*) FROM bets WHERE resolved_commit > ?1 AND resolved_commit <= ?2) AS settled
FROM commits WHERE number > ?1 AND number <= ?2
"""
OPEN = "SELECT EXISTS (SELECT 1 FROM bets WHERE status = 'confirmed' AND refusal_code IS NULL)"
NEWEST = "SELECT coalesce(max(number), 0) FROM commits"


class Audit(Struct):
    """How the money was counted at the end of a system's run."""

    adds_up: bool
    summary: str


def audit(environment: Mapping[str, str], revision: Revision = HERE) -> Audit:
    """Count the money."""
    command = revision.command("audit")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=AUDIT_S_MAX, check=False)
    lines = (done.stdout.strip() or done.stderr.strip() or "no output").splitlines()
    return Audit(done.returncode == 0, lines[-1])


@dataclass(frozen=True)
class System:
    """A running system: its settings, the environment it was started with, its supervisor's process."""

    settings: Settings
    environment: dict[str, str]
    pid: int
    revision: Revision
    started_s: float = field(default_factory=time.monotonic)
    """When its process was started, by `time.monotonic`."""

    @cached_property
    def redis(self) -> Redis:
        """A connection to its Redis."""
        return connect(embedded_redis.redis_url(self.settings))

    @cached_property
    def database(self) -> Database:
        """A reader of its database."""
        return open_reader(self.settings.database)

    def is_ready(self) -> bool:
        """Tell whether bets would be taken: healthy, with a breaker that lets them pass and cells on offer."""
        try:
            with TapClient(f"http://127.0.0.1:{self.settings.port}") as client:
                offered = client.healthy() and any(any(rates) for rates in client.grid().rates_bp)
        except (ApiError, httpx.TransportError):
            return False
        # What is signed in the second in which Redis came up is refused.
        return offered and int(self.redis.hget(EPOCH, "since_s") or 0) < SystemClock().now_ms() // 1000

    def close(self) -> None:
        """Close the connections to its stores."""
        for name in {"redis", "database"} & vars(self).keys():
            getattr(self, name).close()

    def ask(self, query: str) -> Any:
        """Return the first value of an answer of the database."""
        return self.database.execute(query)[0][0]

    def committed_between(self, first: int, last: int) -> dict[str, int]:
        """Count what the commits after `first` up to `last` did."""
        [found] = self.database.dicts(WITHIN, (first, last))
        return found

    def stores_mb(self) -> dict[str, float]:
        """Return how large the write-ahead log, the database and Redis are."""
        file = self.settings.database
        wal, memory = Path(f"{file}-wal"), self.redis.info("memory")
        found = {
            "wal_mb": wal.stat().st_size if wal.exists() else 0,
            "database_mb": file.stat().st_size,
            "redis_mb": memory["used_memory"],
        }
        return {name: round(octets / MB, 2) for name, octets in found.items()}

    def backlog_bets(self) -> int:
        """Return how many bets wait for the writer."""
        return int(self.redis.get(BACKLOG_BETS) or 0)


@contextmanager
def started(data: Path, environment: Mapping[str, str], revision: Revision = HERE) -> Iterator[System]:
    """Run `taptrade up` in this environment for the length of the block, with its log in the new folder `data`."""
    data.mkdir()
    settings, theirs = load(environment), dict(environment)
    if revision != HERE:
        theirs = understood(theirs, revision.variables())
    with (
        # gunicorn finds in the folder where it runs what is not installed elsewhere first.
        child(revision.command("up"), theirs, data / "up.log", revision.root) as process,
        closing(System(settings, theirs, process.pid, revision)) as running,
    ):
        wait_for(f"taptrade up ({data})", running.is_ready, process, START_S_MAX)
        yield running


def understood(environment: Mapping[str, str], known: set[str]) -> dict[str, str]:
    """Return an environment for a system that knows these settings; its own limits of rates are lifted too."""
    kept = {name: value for name, value in environment.items() if name in known or not name.startswith("TAPTRADE_")}
    return {name: PLENTY for name in known - OURS if name.endswith(RATES)} | kept


@contextmanager
def system(data: Path, overrides: Mapping[str, str], revision: Revision = HERE) -> Iterator[System]:
    """Run a system to measure for the length of the block; other TAPTRADE_ variables of the caller are kept."""
    own = {
        "TAPTRADE_DATA": str(data),
        "TAPTRADE_PORT": str(free_port()),
        "TAPTRADE_DASHBOARD_PORT": str(free_port()),
        "TAPTRADE_REDIS_URL": "",
        "TAPTRADE_DOMAIN": "",
    }
    with started(data, {**os.environ, **SETTINGS, **own, **overrides}, revision) as running:
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
def nginx(binary: str, folder: Path, port: int, api_port: int, revision: Revision = HERE) -> Iterator[int]:
    """Run nginx on `port` for the length of the block, in front of the API on `api_port`; its process id."""
    folder.mkdir()
    script = revision.root / "nginx" / "render"
    render = ["sh", str(script), str(folder), f"127.0.0.1:{port}", f"127.0.0.1:{api_port}"]
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
