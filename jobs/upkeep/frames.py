"""The form of a stored week: frames of zstd that can be read one by one, then their hashes and where each one lies.

It is the Seekable Format of zstd (contrib/seekable_format/zstd_seekable_compression_format.md in zstd's sources): any
zstd unpacks the whole, and what knows the format finds its seek table at the end. Its checksums have 32 bits, so the
SHA-256 of each frame comes before the table, in a frame that every zstd skips. Both together are the index, whose own
hash is in the archive's manifest, and that is in the hash chain.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import TaptradeError

FRAME_BYTES = 512 * 1024
"""What each frame holds of the file, the last one less."""
HASHES_MAGIC = 0x184D2A50
TABLE_MAGIC = 0x184D2A5E
SEEKABLE_MAGIC = 0x8F92EAB1
_SKIPPED = struct.Struct("<II")
_ENTRY = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
HASH_BYTES = 32


class NotPacked(TaptradeError):
    """What was read is no archive of ours."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a frame lies in what is stored, and the SHA-256 of its bytes there."""

    start: int
    length: int
    sha256: bytes


class Index:
    """The frames in their order."""

    def __init__(self, packed: Sequence[tuple[int, bytes]]) -> None:
        self.frames: list[Frame] = []
        start = 0
        for length, digest in packed:
            self.frames.append(Frame(start, length, digest))
            start += length

    def encode(self, file_bytes: int) -> bytes:
        """Return what follows the frames of a file of that length."""
        hashes = b"".join(frame.sha256 for frame in self.frames)
        entries = [
            (frame.length, min(FRAME_BYTES, file_bytes - at * FRAME_BYTES)) for at, frame in enumerate(self.frames)
        ]
        entries.append((_SKIPPED.size + len(hashes), 0))
        table = b"".join(_ENTRY.pack(*entry) for entry in entries) + _FOOTER.pack(len(entries), 0, SEEKABLE_MAGIC)
        return _skipped(HASHES_MAGIC, hashes) + _skipped(TABLE_MAGIC, table)

    @classmethod
    def decode(cls, data: bytes) -> Index:
        """Read what `encode` made; raise NotPacked for anything else."""
        count = _frames_in(len(data))
        if count is None:
            raise NotPacked("its index has no whole number of frames")
        hashes = data[_SKIPPED.size : _SKIPPED.size + count * HASH_BYTES]
        table = data[2 * _SKIPPED.size + len(hashes) :]
        lengths = [_ENTRY.unpack_from(table, at * _ENTRY.size)[0] for at in range(count)]
        digests = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
        return cls(list(zip(lengths, digests, strict=True)))


def _skipped(magic: int, data: bytes) -> bytes:
    return _SKIPPED.pack(magic, len(data)) + data


def _frames_in(index_bytes: int) -> int | None:
    """Return of how many frames an index of that length is."""
    fixed = 2 * _SKIPPED.size + _ENTRY.size + _FOOTER.size
    count, rest = divmod(index_bytes - fixed, HASH_BYTES + _ENTRY.size)
    return count if count >= 0 and not rest else None


def index_of(packed: Path) -> tuple[int, str]:
    """Return the length and the SHA-256 of a packed file's index; 0 and nothing where it has none."""
    with packed.open("rb") as file:
        length = file.seek(0, 2)
        if length < _FOOTER.size:
            return 0, ""
        file.seek(-_FOOTER.size, 2)
        count, _, magic = _FOOTER.unpack(file.read())
        if magic != SEEKABLE_MAGIC:
            return 0, ""
        index_bytes = 2 * _SKIPPED.size + count * _ENTRY.size + (count - 1) * HASH_BYTES + _FOOTER.size
        file.seek(-index_bytes, 2)
        return index_bytes, hashlib.sha256(file.read()).hexdigest()
