"""The files that our Redis server keeps: their form, and what a loss of power leaves at the end of the last one.

The server cuts off by itself a last command that is not whole. But where the file system had made the file longer and
not written it yet, it ends in zero bytes, and with them the server refuses to start.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

FOLDER = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"
HEADER_BYTES = len("REDIS0011")
BLOCK_BYTES = 1 << 20
_LISTED = re.compile(rb"^file (\S+) seq \d+ type ([bi])\b", re.MULTILINE)


def header(stored: Path) -> bytes:
    """Return the first bytes of the base file, which name its form; empty if there is none."""
    base = _listed(stored, b"b")
    if base is None or base.suffix != ".rdb":
        return b""
    try:
        with base.open("rb") as file:
            return file.read(HEADER_BYTES)
    except FileNotFoundError:
        return b""


@dataclass(frozen=True, slots=True)
class Mended:
    """How many zero bytes were cut off, and where the file is kept as it was."""

    zeros: int
    kept: Path


def mend(stored: Path, now_ms: int) -> Mended | None:
    """Cut the zero bytes off the end of the last append-only file, in which no command ends; keep a copy of it."""
    last = _listed(stored, b"i")
    zeros = _zeros_at_end(last) if last and last.exists() else 0
    if not last or not zeros:
        return None
    kept = stored / f"{last.name}.damaged-{now_ms}"
    shutil.copy2(last, kept)
    with kept.open("rb") as copy:
        os.fsync(copy.fileno())
    with last.open("r+b") as file:
        file.truncate(last.stat().st_size - zeros)
        os.fsync(file.fileno())
    return Mended(zeros, kept)


def _zeros_at_end(path: Path) -> int:
    size = end = path.stat().st_size
    with path.open("rb") as file:
        while end:
            begin = max(0, end - BLOCK_BYTES)
            file.seek(begin)
            left = file.read(end - begin).rstrip(b"\0")
            end = begin + len(left)
            if left:
                break
    return size - end


def _listed(stored: Path, kind: bytes) -> Path | None:
    """Return the last file of a kind that the manifest lists: `b` the base, `i` what was appended to it."""
    try:
        found = _LISTED.findall((stored / FOLDER / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None
    names = [name for name, of_kind in found if of_kind == kind]
    return stored / FOLDER / os.fsdecode(names[-1]) if names else None
