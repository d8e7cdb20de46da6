"""What the supervisor of a run is asked for, from another terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Error, ServerProxy  # nosec B411  it is our own supervisor that answers

from supervisor.xmlrpc import SupervisorTransport

from taptrade import sockets
from taptrade.processes import WRITER, with_writer


@contextmanager
def supervisor_of(data: Path) -> Iterator[Any]:
    """Ask the supervisor of the run that holds a data folder; raise OSError, HTTPException or xmlrpc's Error."""
    transport = SupervisorTransport(None, None, f"unix://{sockets.folder_of(data / 'run') / sockets.CONTROL}")
    with closing(transport):
        yield ServerProxy("http://127.0.0.1", transport=transport).supervisor


def begin_writer(data: Path, supervisor_pid: int, shard: int) -> str:
    """Let the run that holds a data folder have a new shard's writer as well; say why not, empty if it has."""
    config = data / "run" / "supervisord.conf"
    try:
        config.write_text(with_writer(config.read_text(encoding="utf-8"), shard, supervisor_pid), encoding="utf-8")
        with supervisor_of(data) as supervisor:
            supervisor.reloadConfig()
            supervisor.addProcessGroup(f"{WRITER}-{shard}")
    except (OSError, Error, HTTPException) as ex:
        return f"the supervisor could not be told: {ex}"
    return ""
