"""What the supervisor of a run is asked for, from another terminal."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Error, ServerProxy  # nosec B411  it is our own supervisor that answers

from supervisor.xmlrpc import SupervisorTransport

from taptrade import sockets
from taptrade.processes import WRITER, with_writer


def begin_writer(data: Path, supervisor: int, shard: int) -> str:
    """Let the run that holds a data folder have a new shard's writer as well; say why not, empty if it has."""
    config = data / "run" / "supervisord.conf"
    control = SupervisorTransport(None, None, f"unix://{sockets.folder_of(config.parent) / sockets.CONTROL}")
    try:
        config.write_text(with_writer(config.read_text(encoding="utf-8"), shard, supervisor), encoding="utf-8")
        with closing(control):
            asked: Any = ServerProxy("http://127.0.0.1", transport=control)
            asked.supervisor.reloadConfig()
            asked.supervisor.addProcessGroup(f"{WRITER}-{shard}")
    except (OSError, Error, HTTPException) as ex:
        return f"the supervisor could not be told: {ex}"
    return ""
