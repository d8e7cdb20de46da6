"""What the supervisor of a run is asked for, from another terminal."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy  # nosec B411  it is our own supervisor that answers

from supervisor.xmlrpc import SupervisorTransport

from taptrade import sockets
from taptrade.processes import WRITER, with_writer


def begin_writer(data: Path, supervisor: int, shard: int) -> None:
    """Let the run that holds a data folder have the writer of a new shard as well, under its supervisor."""
    config = data / "run" / "supervisord.conf"
    config.write_text(with_writer(config.read_text(encoding="utf-8"), shard, supervisor), encoding="utf-8")
    control = SupervisorTransport(None, None, f"unix://{sockets.folder_of(config.parent) / sockets.CONTROL}")
    with closing(control):
        asked: Any = ServerProxy("http://127.0.0.1", transport=control)
        asked.supervisor.reloadConfig()
        asked.supervisor.addProcessGroup(f"{WRITER}-{shard}")
