"""A stored week read by ranges: its index first, then only the frames that are needed, each held against its hash."""

from __future__ import annotations

import hashlib
from bisect import bisect_right

import zstandard

from jobs.upkeep.archive_store import ArchiveStore, StoreFailed
from jobs.upkeep.frames import Frame, NotPacked, decode_index, starts
from runtime.archive.manifest import Manifest

KEPT_FRAMES = 64
"""Frames that are kept unpacked, of 1 MB each."""
AHEAD_FRAMES_MAX = 4
"""Who reads frame after frame walks a table: the next request is for twice as many, up to so many."""


class StoredFile:
    """The file of a week, packed with an index in the store; `read_bytes` and `requests` tell what reading it took."""

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
        self._frames = decode_index(data)
        self._stored_at = starts([frame.stored_bytes for frame in self._frames])
        self._begins = starts([frame.file_bytes for frame in self._frames])

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of the file; raise StoreFailed if they cannot be had, or are not what was stored."""
        found = bytearray()
        while len(found) < length and start + len(found) < self.length:
            at = start + len(found)
            number = bisect_right(self._begins, at) - 1
            if number not in self._unpacked:
                self._fetch(number)
            offset = at - self._begins[number]
            found += self._unpacked[number][offset : offset + length - len(found)]
        return bytes(found)

    def _fetch(self, number: int) -> None:
        self._ahead = min(2 * self._ahead, AHEAD_FRAMES_MAX) if number == self._last + 1 else 1
        wanted = range(number, min(number + self._ahead, len(self._frames)))
        start = self._stored_at[number]
        data = self._get(start, sum(self._frames[at].stored_bytes for at in wanted))
        for at in wanted:
            frame, offset = self._frames[at], self._stored_at[at] - start
            self._unpacked[at] = self._checked(at, frame, data[offset : offset + frame.stored_bytes])
        self._last = wanted[-1]
        while len(self._unpacked) > KEPT_FRAMES:
            self._unpacked.pop(next(iter(self._unpacked)))

    def _checked(self, number: int, frame: Frame, data: bytes) -> bytes:
        if hashlib.sha256(data).digest() != frame.sha256:
            raise StoreFailed(f"{self._name}: its frame {number} is not what was stored")
        try:
            return zstandard.ZstdDecompressor().decompress(data, max_output_size=frame.file_bytes)
        except zstandard.ZstdError as ex:
            raise NotPacked(f"{self._name}: its frame {number} cannot be decompressed: {ex}") from ex

    def _get(self, start: int, length: int) -> bytes:
        data = self._store.read_range(self._name, start, length)
        self.requests += 1
        self.read_bytes += len(data)
        return data
