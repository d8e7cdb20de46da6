"""What processes do to their files: recorded by strace from the outside, and read back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.waiting import wait_until

STRACE = shutil.which("strace")
TRACED = (
    *("write", "pwrite64", "writev", "pwritev", "ftruncate", "fallocate", "fsync", "fdatasync", "sync_file_range"),
    *("openat", "creat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "truncate"),
)
ATTACH_S_MAX = 20
LINE = re.compile(r"(?P<at>\d+\.\d+) (?P<name>\w+)\((?P<rest>.*)\) += (?P<result>-?\w+).*<(?P<took>[\d.]+)>$")
ON_FILE = re.compile(r'\d+<(?P<path>[^>]*)>(?:, "(?P<data>[^"]*)")?(?:, (?P<numbers>[\d, ]+))?')
HEX = re.compile(r"\\x([0-9a-f]{2})")
Kind = Literal["write", "truncate", "sync"]


class NotPlayed(AssertionError):
    """A process did something to a file that the disk cannot play."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call on one file, from its begin to its end."""

    kind: Kind
    path: str
    began_s: float
    ended_s: float
    data: bytes = b""
    offset: int | None = None
    """None: at the end of the file; for `truncate`, the new length."""


@contextmanager
def recording(pids: Iterable[int], into: Path, meanwhile: Callable[[], None]) -> Iterator[None]:
    """Record the calls of processes within the block; `meanwhile` runs before, while they stand still."""
    pids, errors = list(pids), into / "strace.log"
    into.mkdir(parents=True)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        meanwhile()
        words = [str(STRACE), "-ff", "-ttt", "-T", "-y", "-xx", "-s", str(2**24), "-e", f"trace={','.join(TRACED)}"]
        words += ["-o", str(into / "calls"), *(word for pid in pids for word in ("-p", str(pid)))]
        with errors.open("wb") as log:
            tracer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: errors.read_text().count(" attached") >= len(pids), ATTACH_S_MAX, what="strace to attach")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(ATTACH_S_MAX)


def read_calls(recorded: Path, files: Iterable[str]) -> list[Call]:
    """Return the calls on these files, by their begin."""
    wanted = set(files)
    found = [
        call
        for path in recorded.glob("calls.*")
        for line in path.read_text(encoding="ascii").splitlines()
        if (call := read_call(line, wanted)) is not None
    ]
    return sorted(found, key=lambda call: call.began_s)


def read_call(line: str, wanted: set[str]) -> Call | None:
    """Read a line of strace's, None if it concerns none of the files; raise NotPlayed for what the disk cannot play."""
    found = LINE.match(line)
    if found is None or found["result"].startswith("-"):
        return None
    name, began_s = found["name"], float(found["at"])
    ended_s = began_s + float(found["took"])
    on = ON_FILE.match(found["rest"])
    path = _text(on["path"]).decode() if on else ""
    if path not in wanted:
        _require_no_rename(name, _text(found["rest"]).decode(errors="replace"), wanted)
        return None
    assert on is not None
    numbers = [int(number) for number in on["numbers"].split(", ")] if on["numbers"] else []
    if name in ("fsync", "fdatasync"):
        return Call("sync", path, began_s, ended_s)
    if name == "ftruncate":
        return Call("truncate", path, began_s, ended_s, offset=numbers[0])
    if name in ("write", "pwrite64"):
        data = _text(on["data"] or "")[: int(found["result"])]
        return Call("write", path, began_s, ended_s, data, numbers[1] if name == "pwrite64" else None)
    if name == "sync_file_range":  # no promise: it syncs no length of a file
        return None
    raise NotPlayed(f"{name} on {path}")


def _require_no_rename(name: str, arguments: str, wanted: set[str]) -> None:
    """Raise NotPlayed where a file is made, renamed or removed by its name."""
    by_name = not name.startswith(("write", "pwrite", "f", "sync"))
    named = by_name and any(f'"{one}"' in arguments for one in wanted)
    if named and (name != "openat" or "O_TRUNC" in arguments):
        raise NotPlayed(f"{name}({arguments})")


def _text(escaped: str) -> bytes:
    if not escaped.startswith("\\x") and "\\x" in escaped:
        return HEX.sub(lambda one: chr(int(one[1], 16)), escaped).encode("latin-1", errors="replace")
    return bytes.fromhex(escaped.replace("\\x", ""))
