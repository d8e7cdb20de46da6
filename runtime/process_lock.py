"""Locks that one process holds: a file that the kernel lets go of with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from runtime.errors import TaptradeError

PROC = Path("/proc")
COMMAND_SHOWN = 100
FORK = "tap-"
"""What the name of a process that was forked begins with: its command line is the supervisor's (taptrade/forked.py)."""


class LockHeld(TaptradeError):
    """Another process holds the lock."""


class LockUnmade(TaptradeError):
    """The lock's file cannot be made."""


def acquire(path: Path, content: bytes) -> FileIO:
    """Take the lock and leave `content` in its file; closing what is returned lets go of it.

    Raise LockHeld while another process has it, OSError where no such file can be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as ex:
        lock.close()
        raise LockHeld(str(path)) from ex
    os.pwrite(lock.fileno(), content, 0)
    lock.truncate(len(content))
    return lock


def is_held(path: Path) -> bool:
    """Tell whether a process holds the lock, without taking it."""
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def sole(role: str, path: Path, stand_by: Callable[[], object] | None = None) -> Iterator[None]:
    """Be the only process of a role; raise LockHeld that names the process which is it already.

    Where `stand_by` is given, it is called over and over instead until that one has ended; it waits a moment each time.
    Raise LockUnmade where no such file can be made.
    """
    with _acquired(role, path, stand_by):
        yield


def claim_slot(role: str, folder: Path) -> tuple[int, FileIO]:
    """Take the lowest number that no living process of a role has, for as long as what is returned with it is open.

    Whoever takes the place of one that ended gets its number. Raise LockUnmade where no file can be made.
    """
    slot = 0
    while True:
        try:
            return slot, _acquire(folder / f"{role}-{slot}")
        except LockHeld:
            slot += 1


def _acquired(role: str, path: Path, stand_by: Callable[[], object] | None) -> FileIO:
    while True:
        try:
            return _acquire(path)
        except LockHeld as ex:
            if stand_by is None:
                holder = path.read_text(encoding="ascii").strip() or "unknown"
                raise LockHeld(f"process {holder} is the {role} already; it holds {path}") from ex
        stand_by()


def _acquire(path: Path) -> FileIO:
    """Take a lock in whose file our process stands; raise LockUnmade where no file can be made."""
    try:
        return acquire(path, f"{os.getpid()}\n".encode())
    except OSError as ex:
        raise LockUnmade(f"{ex.filename or path}: {ex.strerror}") from ex


def name_of(pid: int) -> str:
    """Name a process by its id and the beginning of its command line; a fork of ours by the name that it took."""
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").split()
        name = (PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return f"process {pid}"
    command = name if name.startswith(FORK) else " ".join(words)
    return f"process {pid} ({command[:COMMAND_SHOWN]})" if command else f"process {pid}"


def started_ms(pid: int) -> int | None:
    """Return when a process began, in Unix milliseconds; None where that cannot be told."""
    try:
        # What stands behind the command's name in brackets, beginning with field 3; field 22 counts ticks since the
        # machine's start.
        fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot_s = next(line for line in (PROC / "stat").read_text(encoding="ascii").splitlines() if line[:6] == "btime ")
        return (int(boot_s.split()[1]) * 1000) + int(fields[19]) * 1000 // os.sysconf("SC_CLK_TCK")
    except (OSError, StopIteration):
        return None
