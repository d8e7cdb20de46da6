"""Is this machine fit for a house? Each check looks at one thing and says what to do about it."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.filesize import decimal

from runtime.settings import Settings
from runtime.version import python_version
from taptrade import interpreter
from taptrade.diagnosis import Diagnosis, fail, ok, warn
from taptrade.serve import OPEN_FILES_MAX

GIB = 1024**3
ROOT = Path("/")
FREE_WARN_BYTES, FREE_FAIL_BYTES = 10 * GIB, GIB
FREE_WARN_PERCENT, FREE_FAIL_PERCENT = 30, 5
OPEN_FILES_LEAST = 4_096
MEMORY_WARN_BYTES, MEMORY_FAIL_BYTES = 2 * GIB, GIB
CLOCK_ERROR_MS_MAX = 1_000
"""Signatures count by seconds, and ticks of several sources are put in order by their times."""
STA_UNSYNC, TIME_ERROR = 0x40, 5
NETWORK_TYPES = frozenset(
    {"9p", "afs", "ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs", "virtiofs"}
)
PASSING_TYPES = frozenset({"overlay", "ramfs", "tmpfs"})
_ESCAPED = re.compile(r"\\([0-7]{3})")


def machine_diagnoses(settings: Settings | None) -> Iterator[Diagnosis]:
    """Yield what is said of this machine; of the disk only where settings tell which one it is."""
    yield python()
    yield memory(ROOT)
    yield open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    yield overcommit(ROOT)
    yield huge_pages(ROOT)
    yield clock(read_clock())
    if settings is not None:
        folder = nearest(settings.data)
        yield file_system(ROOT, folder)
        found = os.statvfs(folder)
        yield disk(found)
        yield inodes(found)


def nearest(path: Path) -> Path:
    """Return the folder itself, or where it would be made."""
    return next(one for one in (path.absolute(), *path.absolute().parents) if os.access(one, os.F_OK))


def python() -> Diagnosis:
    """Look at the interpreter that runs this."""
    seen, wrong = f"{python_version()} at {sys.executable}", interpreter.strange()
    if wrong:
        return fail(
            "Python", f"{sys.executable} {wrong}", "`make clean`, then `make run PYTHON=...` with one that fits"
        )
    if not interpreter.is_optimised():
        remedy = "take a distribution's Python, or one built with --enable-optimizations"
        return warn("Python", f"{seen}, built without optimisations: a bet costs a third more", remedy)
    return ok("Python", seen)


def memory(root: Path) -> Diagnosis:
    """Look at the memory of the machine, or of the container where that is less."""
    known = dict(line.split(":", 1) for line in _text(root / "proc/meminfo").splitlines() if ":" in line)
    total = int(known.get("MemTotal", "0").split()[0]) * 1024
    for version in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _text(root / "sys/fs/cgroup" / version)
        if limit.isdigit() and 0 < int(limit) < total:
            total = int(limit)
    remedy = "give it 2 GB at least: Redis may take 512 MB, and as much again while it saves"
    if not total:
        return warn("memory", "cannot be told", remedy)
    if total < MEMORY_FAIL_BYTES:
        return fail("memory", decimal(total), remedy)
    return warn("memory", decimal(total), remedy) if total < MEMORY_WARN_BYTES else ok("memory", decimal(total))


def open_files(hard: int) -> Diagnosis:
    """Look at how many files and connections a process may have; the API raises its limit up to the hard one."""
    if hard == resource.RLIM_INFINITY or hard >= OPEN_FILES_MAX:
        return ok("open files", "unlimited" if hard == resource.RLIM_INFINITY else f"{hard:,} a process")
    remedy = f"each stream is one: raise the hard limit to {OPEN_FILES_MAX:,} (`ulimit -Hn`, LimitNOFILE= of a unit)"
    least = fail if hard < OPEN_FILES_LEAST else warn
    return least("open files", f"{hard:,} a process at most", remedy)


def overcommit(root: Path) -> Diagnosis:
    """Look whether Redis can fork for its snapshot when memory is half full."""
    found = _text(root / "proc/sys/vm/overcommit_memory")
    if found == "1":
        return ok("overcommit", "vm.overcommit_memory=1")
    remedy = "`sysctl vm.overcommit_memory=1`, and the same in /etc/sysctl.d: Redis' snapshots may fail without"
    return warn("overcommit", f"vm.overcommit_memory={found or 'unknown'}", remedy)


def huge_pages(root: Path) -> Diagnosis:
    """Look whether transparent huge pages make Redis' forks slow and large."""
    chosen = re.search(r"\[(\w+)\]", _text(root / "sys/kernel/mm/transparent_hugepage/enabled"))
    seen = chosen[1] if chosen else "not there"
    if seen != "always":
        return ok("huge pages", seen)
    remedy = "`echo madvise > /sys/kernel/mm/transparent_hugepage/enabled`, at each start of the machine"
    return warn("huge pages", "always: Redis' forks cost time and memory", remedy)


def clock(found: tuple[int, int, int] | None) -> Diagnosis:
    """Judge what the kernel says of its clock: (its state, its status, its greatest error in microseconds)."""
    remedy = "run chrony or systemd-timesyncd (`timedatectl set-ntp true`): logins and taps count by their seconds"
    if found is None:
        return warn("clock", "the kernel does not tell whether it is kept right", remedy)
    state, status, error_us = found
    if state == TIME_ERROR or status & STA_UNSYNC:
        return warn("clock", "nothing keeps it right", remedy)
    if error_us // 1000 > CLOCK_ERROR_MS_MAX:
        return warn("clock", f"may be wrong by {error_us // 1000:,} ms", remedy)
    return ok("clock", f"kept right, to {error_us // 1000} ms at most")


class _Timex(ctypes.Structure):
    """The first fields of the kernel's `struct timex`; the rest is room for what it writes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def read_clock() -> tuple[int, int, int] | None:
    """Ask the kernel of its clock, and change nothing; None where it does not tell."""
    found = _Timex(modes=0)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(found))
    return None if state < 0 else (state, found.status, found.maxerror)


def file_system(root: Path, folder: Path) -> Diagnosis:
    """Look on what kind of file system the data folder lies: SQLite's log needs memory that processes share."""
    kind = mounted_as(_text(root / "proc/self/mountinfo"), folder.resolve())
    name = "file system"
    if kind.removeprefix("fuse.") in NETWORK_TYPES or kind in ("fuse.sshfs", "fuse.s3fs", "fuse.rclone"):
        return fail(
            name, f"{folder} is on {kind}: the database breaks there", "set TAPTRADE_DATA to a disk of this machine"
        )
    if kind in PASSING_TYPES:
        remedy = "set TAPTRADE_DATA to a disk or a volume, unless it is for trying out"
        return warn(name, f"{folder} is on {kind}: it is gone with the machine or the container", remedy)
    return ok(name, f"{folder} is on {kind or 'an unknown kind'}")


def mounted_as(mountinfo: str, folder: Path) -> str:
    """Return the type of the file system that a folder lies on, as /proc/self/mountinfo tells it."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        mount = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), words[4]))
        # Of several on one folder the last one covers the others.
        if folder.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), right.split()[0]
    return kind


def disk(found: os.statvfs_result) -> Diagnosis:
    """Look at what is free for whoever is not root."""
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    percent = 100 * free // total if total else 100
    seen, remedy = f"{decimal(free)} free, {percent} %", "make room (docs/runbooks/disk.md) or take a larger disk"
    if free < FREE_FAIL_BYTES or percent < FREE_FAIL_PERCENT:
        return fail("disk", seen, remedy)
    return warn("disk", seen, remedy) if free < FREE_WARN_BYTES or percent < FREE_WARN_PERCENT else ok("disk", seen)


def inodes(found: os.statvfs_result) -> Diagnosis:
    """Look at how many files can still be made; some file systems have no such bound."""
    if not found.f_files:
        return ok("inodes", "not bounded")
    percent = 100 * found.f_favail // found.f_files
    seen, remedy = f"{found.f_favail:,} free, {percent} %", "remove what has many small files"
    if found.f_favail < 1_000:
        return fail("inodes", seen, remedy)
    return warn("inodes", seen, remedy) if percent < FREE_FAIL_PERCENT else ok("inodes", seen)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
