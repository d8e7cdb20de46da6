"""Compress a week's file as far as it goes, read stored archives back, and hash on the way."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar

import zstandard

from jobs.upkeep.frames import Frame, NotPacked, encode_index
from runtime.errors import TaptradeError


class Paused(TaptradeError):
    """Another job waits, and the next run goes on."""


T = TypeVar("T")
NICE = 15
LEVEL = 19
FRAME_BYTES = 1024 * 1024
"""What each frame holds of the file, the last one less. Larger ones are hardly smaller for it, and read in vain."""
THREADS = max(1, (os.cpu_count() or 1) // 2)
UNPACK_WINDOW_BYTES = 1 << 27


def quietly(work: Callable[[], T]) -> T:
    """Run `work` in a thread that gets what processor time is left: bets go first. Return or raise what came of it."""

    def run() -> T:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        return work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def compress(source: Path, target: Path, pause: Callable[[], bool]) -> None:
    """Write `source` compressed frame by frame; `target` is there in full or not at all.

    What a run has left of it that was killed, or raised Paused, is taken as far as it gives back the file.
    """
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.touch()
    with source.open("rb") as file, unfinished.open("r+b") as packed, ThreadPoolExecutor(THREADS) as pool:
        frames = _frames_left(packed, file)
        while chunks := [chunk for _ in range(2 * THREADS) if (chunk := file.read(FRAME_BYTES))]:
            for chunk, frame in zip(chunks, pool.map(_packed, chunks), strict=True):
                packed.write(frame)
                frames.append(Frame.of(frame, len(chunk)))
            if pause():
                raise Paused("another job waits")
        packed.write(encode_index(frames))
        packed.flush()
        os.fsync(packed.fileno())
    unfinished.rename(target)


def _packed(chunk: bytes) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, source_size=len(chunk), write_checksum=True, write_content_size=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(chunk)


def _frames_left(packed: BinaryIO, file: BinaryIO) -> list[Frame]:
    """Return the frames that hold the first bytes of the file; set both behind these."""
    frames: list[Frame] = []
    left = b""
    while chunk := file.read(FRAME_BYTES):
        left += packed.read(2 * FRAME_BYTES - len(left))
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        try:
            same = decompressor.decompress(left) == chunk and decompressor.eof
        except zstandard.ZstdError:
            same = False
        if not same:
            break
        frames.append(Frame.of(left[: len(left) - len(decompressor.unused_data)], len(chunk)))
        left = decompressor.unused_data
    file.seek(sum(frame.file_bytes for frame in frames))
    packed.seek(sum(frame.stored_bytes for frame in frames))
    packed.truncate()
    return frames


def unpack(chunks: Iterable[bytes], target: Path | None = None) -> tuple[str, str]:
    """Decompress what is read, into a file if one is named; return the SHA-256 of what was read and of what came of it.

    A stream that is cut off gives another hash, and the caller compares both. Raise NotPacked for what is no archive.
    """
    packed, plain = hashlib.sha256(), hashlib.sha256()
    decompressor = zstandard.ZstdDecompressor(max_window_size=UNPACK_WINDOW_BYTES).decompressobj(
        read_across_frames=True
    )

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
