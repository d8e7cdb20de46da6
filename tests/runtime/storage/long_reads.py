"""A database whose write-ahead log grows, and another process that reads and holds it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.metrics.table import Metrics
from runtime.storage.database import Database

MB = 1024 * 1024
HOLD = """
import sys
from pathlib import Path
from runtime.storage.database import open_reader
reader = open_reader(Path(sys.argv[1]))
with reader.snapshot():
    reader.execute("SELECT count(*) FROM bulk")
    print("reads", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holding(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have another process in a read within the block."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"reads\n"
        yield holder
        holder.communicate()


def grow(writer: Database, megabytes: int) -> None:
    """Commit, a megabyte at a time, pages that change again and again."""
    for _ in range(megabytes):
        with writer.transaction():
            writer.execute("INSERT OR REPLACE INTO bulk VALUES (1, zeroblob(?))", (MB - 16 * 1024,))


def wal_bytes(path: Path) -> int:
    """Return what the log takes of the disk."""
    return path.with_name(f"{path.name}-wal").stat().st_size


def gauges(metrics: Metrics, name: str) -> dict[str, float]:
    """Return what a gauge was set to, by its labels."""
    return metrics.snapshot(1, 0).gauges[name]
