"""Which processes hold a write-ahead log: those whose read is older than the commits that wait to be copied.

A reader locks one of five bytes of the `-shm` file, which tells for each of them up to which page of the log its
readers see (https://sqlite.org/walformat.html, "The WAL-Index File Format").
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

LOCKS = Path("/proc/locks")
BACKFILL_AND_MARKS = struct.Struct("=6I")
BACKFILL_AT = 96
READ_LOCKS_AT = 123
NO_DISK = "00:"
FLOCK = struct.Struct("hhqqi4x")
"""C's `struct flock` on 64-bit Linux: type, whence, start, length, pid."""


class WalIndex:
    """The `-shm` file of a database that this process has open, for as long as the process lives."""

    def __init__(self, database: Path) -> None:
        # It is never closed: with the first descriptor that is closed, a process loses all its locks on the file, and
        # among them are SQLite's.
        self._file = os.open(f"{database}-shm", os.O_RDONLY)

    def holders(self) -> list[int]:
        """Return the ids of the processes that hold the log back; 0 stands for those that cannot be seen from here."""
        copied, *marks = BACKFILL_AND_MARKS.unpack(os.pread(self._file, BACKFILL_AND_MARKS.size, BACKFILL_AT))
        # The first byte's readers read the file alone, which nothing may be copied into meanwhile.
        held = [READ_LOCKS_AT + slot for slot, mark in enumerate(marks) if slot == 0 or mark <= copied]
        return sorted({pid for byte in held for pid in self._lockers(byte)})

    def _lockers(self, byte: int) -> set[int]:
        seen = {pid for pid, locked in _posix_locks(os.fstat(self._file)) if byte in locked}
        asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        kind, _, _, _, pid = FLOCK.unpack(fcntl.fcntl(self._file, fcntl.F_GETLK, asked))
        # The kernel tells of another's lock in any case, and says 0 where its process has no id in our namespace.
        return seen if kind == fcntl.F_UNLCK else seen | {max(pid, 0)}


def _posix_locks(file: os.stat_result) -> list[tuple[int, range]]:
    """Return who locks which bytes of a file, as far as the processes can be seen from here."""
    try:
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    here = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
    found = []
    for line in lines:
        # number, class, kind, type, pid, device:inode, first byte, last byte; a waiting one has `->` before its class
        fields = line.split()
        device, _, inode = fields[5].rpartition(":")
        # File systems without a disk of their own may give a file another device number than its locks.
        is_here = device.startswith(NO_DISK) or device == here
        if fields[1] == "POSIX" and is_here and inode == str(file.st_ino) and fields[7] != "EOF":
            found.append((int(fields[4]), range(int(fields[6]), int(fields[7]) + 1)))
    return found
