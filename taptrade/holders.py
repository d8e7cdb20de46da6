"""Who holds a port or a socket: the process and its command, as far as /proc tells."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from runtime.process_lock import name_of

PROC = Path("/proc")
LISTENING = "0A"


def port_holder(port: int) -> str:
    """Name the process that listens on a TCP port of this machine; other users' processes can stay unknown."""
    pid = _listener(port)
    return "another process" if pid is None else name_of(pid)


def serves(port: int, data: Path) -> bool:
    """Tell whether who listens on a TCP port was started for a data folder, as units and containers are."""
    pid = _listener(port)
    try:
        told = b"" if pid is None else (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return b"TAPTRADE_DATA=" + os.fsencode(data) in told.split(b"\0")


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


def _listener(port: int) -> int | None:
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    return min((pid for pid, target in _open_files() if target in inodes), default=None)


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
