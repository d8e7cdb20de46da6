"""The files that our Redis server keeps: their form, and what a loss of power leaves at the end of the last one.

The server cuts off by itself a last command that is not whole. But where the file system had made the file longer and
not written it yet, it ends in zero bytes, or has some within what was written last, and with them the server refuses to
start.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"
HEADER_BYTES = len("REDIS0011")
BLOCK_BYTES = 1 << 20
TAIL_BYTES = 64 << 20
"""More than the server writes between two syncs."""
_WORDS, _LENGTH = re.compile(rb"\*(\d{1,9})\r\n"), re.compile(rb"\$(\d{1,9})\r\n")
"""How a command begins in the file, and each of its words (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
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
    """How many bytes were cut off, and where the file is kept as it was."""

    cut: int
    kept: Path


def mend(stored: Path, now_ms: int, whole_bytes: Callable[[Path], int]) -> Mended | None:
    """Cut off the end of the last append-only file from where it was not written on; keep a copy of it.

    `whole_bytes` tells up to where a file's commands are whole.
    """
    last = _listed(stored, b"i")
    cut = _unwritten(last, whole_bytes) if last and last.exists() else 0
    if not last or not cut:
        return None
    kept = stored / f"{last.name}.damaged-{now_ms}"
    shutil.copy2(last, kept)
    with kept.open("rb") as copy:
        os.fsync(copy.fileno())
    with last.open("r+b") as file:
        file.truncate(last.stat().st_size - cut)
        os.fsync(file.fileno())
    return Mended(cut, kept)


def _unwritten(path: Path, whole_bytes: Callable[[Path], int]) -> int:
    """Return how much of the end is zeros, or begins with a command that has some where it is broken."""
    zeros, size = _zeros_at_end(path), path.stat().st_size
    if zeros or b"\0" not in _tail(path, TAIL_BYTES):
        return zeros
    # Packed values may hold zeros too: those of the command alone that is broken tell of a gap.
    left = size - whole_bytes(path)
    return left if left <= TAIL_BYTES and b"\0" in _broken(_tail(path, left)) else 0


def _broken(commands: bytes) -> bytes:
    """Return the first command that is not whole; the server's tool stops before the transaction that it lies in."""
    at = 0
    while end := _end_of_command(commands, at):
        at = end
    following = commands.find(b"\r\n*", at)
    return commands[at : following if following >= 0 else None]


def _end_of_command(commands: bytes, at: int) -> int:
    words = _WORDS.match(commands, at)
    if not words:
        return 0
    end = words.end()
    for _ in range(int(words[1])):
        length = _LENGTH.match(commands, end)
        end = length.end() + int(length[1]) + 2 if length else 0
        if not length or commands[end - 2 : end] != b"\r\n":
            return 0
    return end


def _tail(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - length))
        return file.read()


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
