"""Who holds a port or a socket: the process and its command, as far as /proc tells."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from runtime.process_lock import name_of

PROC = Path("/proc")
LISTENING = "0A"


def port_holder(port: int) -> str:
    """Name the process that listens on a TCP port of this machine; other users' processes can stay unknown."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    pid = min((pid for pid, target in _open_files() if target in inodes), default=None)
    return "another process" if pid is None else name_of(pid)


def socket_holder(path: Path) -> int | None:
    """Return the id of the process that listens on a Unix socket; None if nobody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return None
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            # sl, local_address, rem_address, st, queues, timer, retransmissions, uid, timeout, inode
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _open_files() -> Iterator[tuple[int, str]]:
    for folder in PROC.glob("[0-9]*/fd"):
        try:
            files = list(folder.iterdir())
        except OSError:
            continue  # another user's, or it has just ended
        for file in files:
            try:
                yield int(folder.parent.name), str(file.readlink())
            except OSError:
                continue
