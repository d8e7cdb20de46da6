"""Compress a week's file as far as it goes, read stored archives back, and hash on the way."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import zstandard

from jobs.upkeep.archive_store import CHUNK_BYTES
from runtime.errors import TaptradeError


class NotPacked(TaptradeError):
    """What was read is no archive of ours."""


T = TypeVar("T")
NICE = 15
LEVEL = 19
"""Its own window of 8 MB is enough: one of 128 MB makes rows of random text no smaller, and needs far more memory."""
THREADS = max(1, (os.cpu_count() or 1) // 2)
UNPACK_WINDOW_BYTES = 1 << 27


def quietly(work: Callable[[], T]) -> T:
    """Run `work` in a thread that gets what processor time is left: bets go first. Return or raise what came of it."""

    def run() -> T:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        return work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def compress(source: Path, target: Path) -> None:
    """Write `source` compressed; `target` is there in full or not at all."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL,
        source_size=source.stat().st_size,
        threads=THREADS,
        write_checksum=True,
        write_content_size=True,
    )
    with source.open("rb") as file, unfinished.open("wb") as packed:
        zstandard.ZstdCompressor(compression_params=parameters).copy_stream(
            file, packed, size=source.stat().st_size, read_size=CHUNK_BYTES, write_size=CHUNK_BYTES
        )
        packed.flush()
        os.fsync(packed.fileno())
    unfinished.rename(target)


def unpack(chunks: Iterable[bytes], target: Path | None = None) -> tuple[str, str]:
    """Decompress what is read, into a file if one is named; return the SHA-256 of what was read and of what came of it.

    A stream that is cut off gives another hash, and the caller compares both. Raise NotPacked for what is no archive.
    """
    packed, plain = hashlib.sha256(), hashlib.sha256()
    decompressor = zstandard.ZstdDecompressor(max_window_size=UNPACK_WINDOW_BYTES).decompressobj()

    def unpacked() -> Iterator[bytes]:
        for chunk in chunks:
            packed.update(chunk)
            try:
                yield decompressor.decompress(chunk)
            except zstandard.ZstdError as ex:
                raise NotPacked(f"it cannot be decompressed: {ex}") from ex

    if target is None:
        for data in unpacked():
            plain.update(data)
    else:
        with target.open("wb") as file:
            for data in unpacked():
                plain.update(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return packed.hexdigest(), plain.hexdigest()


def sha256_of_chunks(chunks: Iterable[bytes]) -> str:
    """Return the SHA-256 of what is read."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
