"""The processes of a run, and the supervisor's configuration that keeps them alive."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.game.shards import SHARDS_MAX
from runtime.machine import SEVERAL
from runtime.settings import Settings
from taptrade import sockets

PYTHON = "SUPERVISOR_PYTHON"
"""Environment variable with the interpreter, quoted as for a shell."""
RELOAD = "--reload"
"""Option by which a process is told to begin anew when its sources change."""
WRITER = "writer"
UNDER = "--under"
"""Option by which a process is told whom it must not outlive."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end a run."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process. A lower `priority` starts earlier and stops later; equal ones stop together."""

    name: str
    priority: int
    stop_s: int
    help: str


# Stopping goes from the bottom up: no new bets, then no new work, then the writer drains, its last
# commits are shipped, and Redis goes last.
PROCESSES: tuple[Process, ...] = (
    Process("redis", 10, 20, "queues, sessions, nonces and the bus; only where TAPTRADE_REDIS_URL is not set"),
    Process("replica", 15, 15, "ships the databases to the replica; only where TAPTRADE_REPLICA_URL is set"),
    Process("writer", 20, 20, "the one process that writes the ledger"),
    Process("settler", 30, 10, "settlement and breaker checks"),
    Process("jobs", 30, 10, "backup, audit, and a report of the closed weeks"),
    Process("scheduler", 30, 10, "rq-scheduler: starts the periodic jobs"),
    Process("functions", 30, 15, "functions that schedules, queues and events start"),
    Process("feed", 30, 10, "price feed"),
    Process("dashboard", 30, 5, "rq-dashboard behind a key"),
    Process("api", 40, 15, "HTTP and the stream"),
)


SECRETS = {
    "TAPTRADE_PROCESSOR_SECRET": ("api",),
    "TAPTRADE_DASHBOARD_KEY": ("dashboard",),
    "TAPTRADE_DATABASE_URL": ("writer", "settler", "jobs", "functions", "feed", "api"),
    "AWS_SECRET_ACCESS_KEY": ("jobs", "replica"),
    "AWS_SESSION_TOKEN": ("jobs", "replica"),
}
"""Secrets that only some processes need to know. Redis' password, in its URL, all of them need."""


def take_secrets(environ: MutableMapping[str, str]) -> dict[str, dict[str, str]]:
    """Take the secrets of some processes out of an environment; return them by process."""
    taken: dict[str, dict[str, str]] = {}
    for variable, processes in SECRETS.items():
        value = environ.pop(variable, None)
        if value is None:
            continue
        if variable == "TAPTRADE_DATABASE_URL":
            environ[SEVERAL] = "1"
        for process in processes:
            taken.setdefault(process, {})[variable] = value
    return taken


class Names(tuple[str, ...]):
    """Names of processes to choose from; `writer-2` and so on, the writers of further shards, are not listed."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        """Tell whether a name may be chosen."""
        kind, _, shard = str(name).partition("-")
        return super().__contains__(name) or (
            kind == WRITER and shard in map(str, range(2, SHARDS_MAX + 1)) and super().__contains__(kind)
        )


def read_name(name: str) -> tuple[str, int]:
    """Return which of PROCESSES a name means, and of which shard: `writer-2` writes the ledger of the second one."""
    kind, _, shard = name.partition("-")
    return kind, int(shard or 1)


def module(name: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """Return the command line of a module: it finds what is installed beside our interpreter and nothing else."""
    return [python, "-I", "-u", "-m", name, *arguments]


def command(name: str, *options: str, python: str = sys.executable) -> list[str]:
    """Return the command line of one process."""
    return module("taptrade", "serve", name, *options, python=python)


def supervisor_variables(settings: Settings) -> dict[str, str]:
    """Return the variables that the configuration takes its paths from.

    supervisord ends a value at ` #` and ` ;` and has no way to write them, but takes what a variable holds as it is.
    """
    return {"TAPTRADE_DATA": str(settings.data), PYTHON: shlex.quote(sys.executable)}


def writer_of(shard: int) -> Process:
    """Return the writer of a shard other than the first."""
    [first] = [process for process in PROCESSES if process.name == WRITER]
    return replace(first, name=f"{WRITER}-{shard}")


def supervisor_config(settings: Settings, *, embedded_redis: bool, reload: bool = False, shards: int = 1) -> str:
    """Write supervisord.conf: one program a process, grouped by the order in which they stop."""
    wanted = {"redis": embedded_redis, "replica": bool(settings.replica_url)}
    processes = [process for process in PROCESSES if wanted.get(process.name, True)]
    sections = [_supervisord(), _control_socket(sockets.folder_of(settings.data / "run"))]
    options = [RELOAD] if reload else []
    of_shards = [writer_of(shard) for shard in range(2, shards + 1)]
    sections += [_program(process, os.getpid(), *options) for process in (*processes, *of_shards)]
    return "\n".join(sections) + "\n" + _groups(processes)


def with_writer(config: str, shard: int, supervisor: int) -> str:
    """Return the supervisor's configuration with the writer of one shard more; `supervisor` is its process id."""
    return f"{config}\n{_program(writer_of(shard), supervisor)}"


def _supervisord() -> str:
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        "nocleanup=true",
        "minprocs=50",
        "loglevel=info",
        "logfile=%(ENV_TAPTRADE_DATA)s/logs/supervisord.log",
        "logfile_maxbytes=5MB",
        "logfile_backups=2",
        "pidfile=%(ENV_TAPTRADE_DATA)s/run/supervisord.pid",
    ]
    if os.geteuid() == 0:
        # Said explicitly, because supervisord warns about a root that nobody mentioned.
        lines.append("user=root")
    return "\n".join(lines) + "\n"


def _control_socket(folder: Path) -> str:
    path = folder / sockets.CONTROL
    return (
        f"[unix_http_server]\nfile={path}\nchmod=0700\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\n"
        f"[supervisorctl]\nserverurl=unix://{path}\n"
    )


def _program(process: Process, supervisor: int, *options: str) -> str:
    words = " ".join(command(process.name, UNDER, str(supervisor), *options, python=f"%(ENV_{PYTHON})s"))
    return "\n".join(
        [
            f"[program:{process.name}]",
            f"command={words}",
            f"priority={process.priority}",
            "autostart=true",
            "autorestart=true",
            "startsecs=1",
            "startretries=1000000000",
            f"stopwaitsecs={process.stop_s}",
            "killasgroup=true",
            "redirect_stderr=true",
            # supervisord fills in this one value twice; what a variable holds must not be read as a format.
            f"stdout_logfile=%%(ENV_TAPTRADE_DATA)s/logs/{process.name}.log",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=3",
            "",
        ]
    )


def _groups(processes: list[Process]) -> str:
    """Put processes of one priority into one group: the supervisor stops group after group."""
    shared = [process for process in processes if process.priority == 30]
    names = ",".join(process.name for process in shared)
    return f"[group:support]\nprograms={names}\npriority=30\n"
