"""Two PostgreSQLs under Patroni, and etcd on all three machines: who is the primary, and how it is made another."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec

from loadtest.postgres import programs, runs_as
from tests.chaos.disk import full, small_disk
from tests.chaos.failover.machines import NAMES, Machines, run
from tests.chaos.family import signal_family
from tests.chaos.kept import Kept
from tests.waiting import wait_until

SCOPE = "house"
ASK_S = 0.5
START_S_MAX = 60
DISK_BYTES = 3 * 2**30
"""Of a member: what 200 faults at 300 bets a second write fits, with the log that is kept."""
MEMBERS = ("a", "b")
RULES: dict[str, Any] = {
    # The least that Patroni takes: a primary that is cut off is superseded some 20 s later.
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 5,
    # A primary that crashed is not waited for: the standby has all that was acknowledged.
    "primary_start_timeout": 0,
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    "maximum_lag_on_failover": 1_048_576,
    "postgresql": {
        "use_pg_rewind": True,
        "use_slots": True,
        "parameters": {
            "max_connections": 80,
            "shared_buffers": "32MB",
            "max_wal_size": "256MB",
            "wal_keep_size": "256MB",
            "wal_log_hints": "on",
            "hot_standby": "on",
            "wal_sender_timeout": "5s",
            "wal_receiver_timeout": "5s",
        },
    },
}


class Database:
    """The two members, and the witnesses of who leads."""

    def __init__(self, machines: Machines, folder: Path, patroni: Path) -> None:
        """Everything is kept in `folder`; `patroni` is the program."""
        self.machines = machines
        self.folder = folder
        self.kept: dict[str, Kept] = {}
        self._patroni = patroni
        self._user = runs_as() or ""
        self._disks = ExitStack()
        self._control = httpx.Client(timeout=ASK_S, trust_env=False)

    @property
    def url(self) -> str:
        """Where the house finds whichever is the primary."""
        hosts = ",".join(self.machines.address(name) for name in MEMBERS)
        return f"postgresql://house@{hosts}/house?target_session_attrs=read-write&connect_timeout=2"

    def start(self) -> None:
        """Start all, and make the house's database."""
        for name in NAMES:
            self._start_etcd(name)
        for name in MEMBERS:
            self._start_member(name)
        wait_until(self.is_whole, START_S_MAX, every_s=0.3, what=f"a primary and its standby; see {self.folder}")
        for statement in ("CREATE ROLE house LOGIN", "CREATE DATABASE house OWNER house TEMPLATE template0"):
            self.ask(statement)

    def ask(self, statement: str, database: str = "postgres") -> str:
        """Run a statement on the primary as its superuser."""
        where = self.machines.address(self.primary() or "a")
        psql = [str(programs() / "psql"), "-qAtX", "-h", where, "-U", "postgres", "-c", statement, database]
        return run(psql)

    def role(self, name: str) -> dict[str, Any]:
        """Return what a member says of itself; empty when it does not answer."""
        with suppress(httpx.TransportError, msgspec.DecodeError):
            answer = self._control.get(f"http://{self.machines.address(name)}:8008/patroni")
            found: dict[str, Any] = msgspec.json.decode(answer.content)
            return found
        return {}

    def primary(self) -> str:
        """Return the member that is the running primary and holds the lock, empty if none says so."""
        for name in MEMBERS:
            with suppress(httpx.TransportError):
                if (
                    self._control.get(f"http://{self.machines.address(name)}:8008/primary").status_code
                    == httpx.codes.OK
                ):
                    return name
        return ""

    def is_whole(self) -> bool:
        """Tell whether there is a primary, and a standby that has every commit before it is answered."""
        primary = self.primary()
        if not primary:
            return False
        with suppress(httpx.TransportError):
            url = f"http://{self.machines.address(other(primary))}:8008/synchronous"
            return self._control.get(url).status_code == httpx.codes.OK
        return False

    def switch(self) -> str:
        """Ask Patroni to make the standby the primary; what it answers."""
        leader = self.primary()
        body = {"leader": leader, "candidate": other(leader)} if leader else {}
        url = f"http://{self.machines.address(leader or 'a')}:8008/switchover"
        with suppress(httpx.TransportError):
            return self._control.post(url, json=body, timeout=30).text
        return "no answer"

    def postmaster(self, name: str) -> int:
        """Return the process id of a member's server, 0 without one."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self._of(name) / "data" / "postmaster.pid").read_text().split()[0])
            if b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return 0

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a member's server and all its children."""
        master = self.postmaster(name)
        if master:
            signal_family(master, number)

    @contextmanager
    def full_disk(self, name: str) -> Iterator[None]:
        """Leave a member no byte of disk within the block."""
        with full(self._of(name)):
            yield

    def end(self) -> None:
        """End what is kept; what Patroni began ends with its machine."""
        for kept in self.kept.values():
            kept.end()
        self._control.close()
        self._disks.close()

    def _of(self, name: str) -> Path:
        return self.folder / f"patroni-{name}"

    def _start_etcd(self, name: str) -> None:
        def peer(of: str) -> str:
            return f"http://{self.machines.address(of)}:2380"

        clients = f"http://{self.machines.address(name)}:2379"
        words = {
            "name": name,
            "data-dir": str(self.folder / f"etcd-{name}"),
            "listen-peer-urls": peer(name),
            "initial-advertise-peer-urls": peer(name),
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "initial-cluster": ",".join(f"{of}={peer(of)}" for of in NAMES),
            # Without it a member that was cut off deposes the leader when it is back, longer than Patroni waits.
            "pre-vote": "true",
            "log-level": "warn",
        }
        command = ["etcd", *(f"--{key}={value}" for key, value in words.items())]
        self._keep(f"etcd-{name}", self.machines.within(name, command))

    def _start_member(self, name: str) -> None:
        folder = self._of(name)
        folder.mkdir()
        self._disks.enter_context(small_disk(folder, DISK_BYTES))
        if self._user:
            shutil.chown(folder, self._user)
        file = folder.with_suffix(".json")
        file.write_bytes(msgspec.json.encode(self._config(name)))
        self._keep(f"patroni-{name}", self.machines.within(name, [str(self._patroni), str(file)], self._user))

    def _config(self, name: str) -> dict[str, Any]:
        address = self.machines.address(name)
        everybody = [f"host {which} all {self.machines.net}.0/24 trust" for which in ("all", "replication")]
        return {
            "scope": SCOPE,
            "name": name,
            "restapi": {"listen": f"{address}:8008", "connect_address": f"{address}:8008"},
            "etcd3": {"hosts": [f"{self.machines.address(of)}:2379" for of in NAMES]},
            "bootstrap": {"dcs": RULES, "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"]},
            "postgresql": {
                "listen": f"{address}:5432",
                "connect_address": f"{address}:5432",
                "bin_dir": str(programs()),
                "data_dir": str(self._of(name) / "data"),
                "pgpass": str(self._of(name) / "pgpass"),
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "replicator"}},
                "parameters": {"unix_socket_directories": str(self._of(name))},
                "pg_hba": ["local all all trust", *everybody],
            },
        }

    def _keep(self, name: str, command: list[str]) -> None:
        ours = {key: value for key, value in os.environ.items() if not re.match("PG|PATRONI|ETCD", key)}
        self.kept[name] = Kept(command, ours | {"LC_ALL": "C"}, self.folder / f"{name}.log")


def other(name: str) -> str:
    """Return the other member."""
    return "b" if name == "a" else "a"
