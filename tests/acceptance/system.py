"""The whole system, run from outside: the real processes over a folder of their own, stopped, killed and started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from jobs.upkeep.house_audit import audit_house
from loadtest.system import NO_RATES
from runtime.audit import Report
from runtime.messaging import redis_keys
from runtime.messaging.connection import Redis, connect
from runtime.postgresql import choice
from runtime.settings import Settings, load
from runtime.storage.database import Database
from taptrade import embedded_redis
from taptrade.client import ApiError, TapClient
from taptrade.supervised import supervisor_of
from taptrade.wallet import Audience
from tests.function_settings import outside
from tests.waiting import wait_until

START_S_MAX = 60
STOP_S_MAX = 60
FAST = {
    # A column of one second is over soon, and all players of a test come from one address.
    "TAPTRADE_COLUMN_SECONDS": "1",
    **NO_RATES,
}
STEADY = {"feed": "sim"}
"""Prices several times a second, whatever a test stops and starts."""


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class System:
    """One `taptrade up`; as a context it runs, well, within the block."""

    def __init__(self, data: Path, **settings: str) -> None:
        """`settings` are TAPTRADE_* variables in lower case without the prefix, beside the fast ones."""
        own = {f"TAPTRADE_{name.upper()}": value for name, value in settings.items()}
        self.data = data
        self.python = sys.executable
        self.environment = FAST | {
            "TAPTRADE_DATA": str(data),
            "TAPTRADE_PORT": str(free_port()),
            "TAPTRADE_DASHBOARD_PORT": str(free_port()),
            **own,
        }
        self.settings: Settings = load(self.environment)
        self.url = f"http://127.0.0.1:{self.settings.port}"
        self.audience = Audience(self.settings.domain, f"http://{self.settings.domain}", self.settings.chain_id)
        self._launcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.stop()
        else:
            self.end()

    def start(self, **variables: str) -> None:
        """Start every process and wait until the system says that it is well; `variables` go to all of them."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._launcher = subprocess.Popen(
                [self.python, "-m", "taptrade", "up"],
                env=self.variables | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self.is_well, START_S_MAX, every_s=0.1, what=f"a healthy system; see {self.log}")
        wait_until(self._remembers, what="a second that begins after the memory of nonces did")

    def _remembers(self) -> bool:
        """Tell whether what is signed now is taken: not in the very second in which Redis came up empty."""
        with self.redis() as client:
            since_s = client.hget(redis_keys.EPOCH, "since_s")
        return since_s is not None and int(since_s) < int(time.time())

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every process of this system."""
        rest = outside()
        return rest | self.environment

    @property
    def log(self) -> Path:
        """What `taptrade up` prints; each process has its own log in the data folder."""
        return self.data.with_name(self.data.name + ".up.log")

    def is_well(self) -> bool:
        """Ask for the health of the whole; fail the test if it has ended."""
        if self._launcher is None or self._launcher.poll() is not None:
            raise AssertionError(f"`taptrade up` has ended:\n{self.log.read_text()[-2000:]}")
        return self.says_it_is_well()

    def says_it_is_well(self) -> bool:
        """Ask for the health of the whole; False too where nothing answers."""
        try:
            with self.client() as client:
                return client.healthy()
        except (httpx.TransportError, ApiError):
            return False

    def stop(self) -> None:
        """Stop as Ctrl-C does; everything must end by itself and say so."""
        if self._launcher is None:
            return
        launcher, self._launcher = self._launcher, None
        os.killpg(launcher.pid, signal.SIGINT)
        try:
            status = launcher.wait(STOP_S_MAX)
        finally:
            if launcher.poll() is None:
                launcher.kill()
                launcher.wait()
        assert status == 0, self.log.read_text()[-2000:]

    def end(self) -> None:
        """End by force; no process outlives its supervisor."""
        if self._launcher is not None:
            self._launcher.kill()
            self._launcher.wait()
            self._launcher = None

    def pids(self) -> dict[str, int]:
        """Return the process ids by name, as the supervisor knows them; only what runs is listed."""
        with supervisor_of(self.data) as supervisor:
            return {process["name"]: process["pid"] for process in supervisor.getAllProcessInfo() if process["pid"]}

    @property
    def launcher_pid(self) -> int:
        """The process id of `taptrade up`, below which all others are."""
        assert self._launcher is not None
        return self._launcher.pid

    def pid_of(self, name: str) -> int:
        """Return a process's id; 0 while it does not run."""
        return self.pids().get(name, 0)

    def kill(self, name: str, signal_number: signal.Signals = signal.SIGKILL) -> int:
        """Send a process a signal; return its id, 0 if it was not running."""
        pid = self.pid_of(name)
        if pid:
            try:
                os.kill(pid, signal_number)
            except ProcessLookupError:
                return 0
        return pid

    def halt(self, name: str, *, wait: bool = True) -> None:
        """Let the supervisor stop a process, and leave it stopped."""
        with supervisor_of(self.data) as supervisor:
            supervisor.stopProcess(self._full_name(supervisor, name), wait)

    def resume(self, name: str) -> None:
        """Let the supervisor start a process that `halt` stopped."""
        with supervisor_of(self.data) as supervisor:
            supervisor.startProcess(self._full_name(supervisor, name), True)

    @staticmethod
    def _full_name(supervisor: Any, name: str) -> str:
        [group] = [process["group"] for process in supervisor.getAllProcessInfo() if process["name"] == name]
        return f"{group}:{name}"

    def client(self) -> TapClient:
        """Return a client that is not signed in."""
        return TapClient(self.url)

    @property
    def redis_url(self) -> str:
        """Where the system's Redis listens."""
        return embedded_redis.redis_url(self.settings)

    def redis(self) -> Redis:
        """Return a connection to the system's Redis."""
        return connect(self.redis_url)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Open the live database, read-only."""
        database = choice.open_reader(self.settings)
        try:
            yield database
        finally:
            database.close()

    def audit(self) -> Report:
        """Recount everything."""
        return audit_house(self.settings, lambda _done, _total: None)
