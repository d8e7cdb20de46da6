"""Two PostgreSQLs: a primary and its synchronous standby, which take turns. Whoever promotes here is the test."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg

from loadtest.postgres import DURABLE, Cluster, programs, runs_as
from loadtest.processes import as_user
from tests.chaos.family import signal_family
from tests.waiting import wait_until

DATABASE = "house"
REPLICATED = ("synchronous_standby_names=*", "wal_keep_size=256MB", "shared_buffers=32MB", "max_connections=60")
START_S_MAX = 30
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"


class Server:
    """One server with its folder; whether it is the primary is told by the files in there."""

    def __init__(self, folder: Path) -> None:
        self.user = runs_as()
        self.sockets = Path(tempfile.mkdtemp(prefix="tap-pg-"))
        self._data, self._log = folder / "data", folder / "postgres.log"
        folder.mkdir(parents=True)
        self._own(folder)
        self._own(self.sockets)
        self.cluster = Cluster(programs(), self.sockets, self.user)
        self._process: subprocess.Popen[bytes] | None = None

    def _own(self, folder: Path) -> None:
        if self.user is not None:
            shutil.chown(folder, self.user)

    def make(self) -> None:
        """Make an empty server, to be the first primary."""
        self.cluster.run("initdb", "-D", str(self._data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")

    def copy(self, primary: Server) -> None:
        """Become a standby of another server, whatever was here before."""
        shutil.rmtree(self._data, ignore_errors=True)
        where = ("-h", str(primary.sockets), "-U", "bench")
        self.cluster.run("pg_basebackup", "-D", str(self._data), "-R", "-X", "stream", "-c", "fast", *where)
        self.start()
        primary.await_standby()

    def start(self) -> None:
        """Run it, as what it is."""
        command = [str(programs() / "postgres"), "-D", str(self._data), "-k", str(self.sockets)]
        command += ["-c", "listen_addresses="]
        command += [word for setting in (*DURABLE, *REPLICATED) for word in ("-c", setting)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.sockets, stdout=log, stderr=log, start_new_session=True, **as_user(self.user)
            )
        wait_until(self._answers, START_S_MAX, what=f"PostgreSQL ({self._log})")

    def _answers(self) -> bool:
        try:
            self.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ask(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Ask this server, whatever it is."""
        where = f"postgresql://bench@/{database}?host={self.sockets}&connect_timeout=3"
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def await_standby(self) -> None:
        """Wait until commits go to a standby too."""
        wait_until(lambda: self.ask(STREAMING) != [(0,)], START_S_MAX, what="a standby")

    def promote(self) -> None:
        """Be the primary from here on."""
        self.ask("SELECT pg_promote(true, 20)")

    def signal_all(self, number: signal.Signals) -> None:
        """Do something to every process of it, as if it happened to the machine."""
        if self._process is not None:
            signal_family(self._process.pid, number)

    def kill(self) -> None:
        """End it at once, with all that it has in memory."""
        self.signal_all(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(20)
            self._process = None

    def remove(self) -> None:
        """Leave nothing."""
        self.kill()
        shutil.rmtree(self.sockets, ignore_errors=True)


class Pair:
    """A primary and a standby; who is which changes."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.standby = Server(folder / "one"), Server(folder / "two")
        sockets = f"{self.primary.sockets},{self.standby.sockets}"
        self.url = f"postgresql://bench@/{DATABASE}?host={sockets}&target_session_attrs=read-write"

    def __enter__(self) -> Self:
        self.primary.make()
        self.primary.start()
        self.standby.copy(self.primary)
        self.primary.cluster.run("createdb", "-T", "template0", DATABASE)
        return self

    def __exit__(self, *_: object) -> None:
        self.primary.remove()
        self.standby.remove()

    def fail_over(self) -> None:
        """Let the standby be the primary; the other one, whatever it is doing, is a standby only once it is copied."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def rebuild(self) -> None:
        """Make the standby anew, of what the primary has."""
        self.standby.kill()
        self.standby.copy(self.primary)
