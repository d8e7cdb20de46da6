"""A stored week read by ranges: its index first, then those frames only that are asked for, each held against its hash."""

from __future__ import annotations

import hashlib

import zstandard

from jobs.upkeep.archive_store import ArchiveStore, StoreFailed
from jobs.upkeep.frames import FRAME_BYTES, Frame, Index, NotPacked
from runtime.archive.manifest import Manifest

KEPT_FRAMES = 128
"""Frames that are kept unpacked: 64 MB."""
AHEAD_FRAMES_MAX = 8
"""Who reads frame after frame walks a table: the next request is for twice as many, up to so many."""


class StoredFile:
    """The file of a week, as it lies packed with an index in the store; `read_bytes` and `requests` tell what it took."""

    def __init__(self, store: ArchiveStore, stored_as: str, manifest: Manifest) -> None:
        self._store = store
        self._name = stored_as
        self.length = manifest.file_bytes
        self.read_bytes = 0
        self.requests = 0
        self._unpacked: dict[int, bytes] = {}
        self._last = -1
        self._ahead = 1
        data = self._get(manifest.stored_bytes - manifest.index_bytes, manifest.index_bytes)
        if hashlib.sha256(data).hexdigest() != manifest.index_sha256:
            raise StoreFailed(f"{stored_as}: its index is not what was stored")
        self._frames = Index.decode(data).frames

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of the file; raise StoreFailed if they cannot be had, or are not what was stored."""
        found = bytearray()
        while length > 0 and start < self.length:
            number, offset = divmod(start, FRAME_BYTES)
            part = self._frame(number)[offset : offset + length]
            if not part:
                raise StoreFailed(f"{self._name}: it ends before its file does")
            found += part
            start, length = start + len(part), length - len(part)
        return bytes(found)

    def _frame(self, number: int) -> bytes:
        if number not in self._unpacked:
            self._fetch(number)
        return self._unpacked[number]

    def _fetch(self, number: int) -> None:
        self._ahead = min(2 * self._ahead, AHEAD_FRAMES_MAX) if number == self._last + 1 else 1
        wanted = self._frames[number : number + self._ahead]
        if not wanted:
            raise StoreFailed(f"{self._name}: it has no frame {number}")
        data = self._get(wanted[0].start, sum(frame.length for frame in wanted))
        for at, frame in enumerate(wanted):
            offset = frame.start - wanted[0].start
            self._unpacked[number + at] = self._checked(frame, data[offset : offset + frame.length], number + at)
        self._last = number + len(wanted) - 1
        while len(self._unpacked) > KEPT_FRAMES:
            self._unpacked.pop(next(iter(self._unpacked)))

    def _checked(self, frame: Frame, data: bytes, number: int) -> bytes:
        if hashlib.sha256(data).digest() != frame.sha256:
            raise StoreFailed(f"{self._name}: frame {number} is not what was stored")
        try:
            return zstandard.ZstdDecompressor().decompress(data, max_output_size=FRAME_BYTES)
        except zstandard.ZstdError as ex:
            raise NotPacked(f"{self._name}: frame {number} cannot be decompressed: {ex}") from ex

    def _get(self, start: int, length: int) -> bytes:
        data = self._store.read_range(self._name, start, length)
        self.requests += 1
        self.read_bytes += len(data)
        return data
