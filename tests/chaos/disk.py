"""A small disk for one data folder, and how to fill it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK_BYTES = 64 * 1024


class NoDisk(Exception):
    """No file system can be mounted here."""


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """Mount a file system of that size over `folder` within the block; raise NoDisk where that is not allowed."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        raise NoDisk("mounting a small disk needs root")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise NoDisk(f"a small disk cannot be mounted: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def check_mounting() -> None:
    """Raise NoDisk where `small_disk` cannot work."""
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder), CHUNK_BYTES):
        pass


@contextmanager
def full(folder: Path) -> Iterator[Path]:
    """Fill the disk of `folder` to the last byte within the block."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            chunk = bytes(CHUNK_BYTES)
            for piece in (chunk, chunk[:4096], b"\0"):
                try:
                    while file.write(piece) == len(piece):
                        pass
                except OSError:
                    continue
        yield filler
    finally:
        filler.unlink(missing_ok=True)
