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
from itertools import accumulate
from pathlib import Path

from runtime.errors import TaptradeError

HASHES_MAGIC = 0x184D2A50
TABLE_MAGIC = 0x184D2A5E
SEEKABLE_MAGIC = 0x8F92EAB1
_SKIPPED = struct.Struct("<II")
_ENTRY = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_HASH = struct.Struct("32s")


class NotPacked(TaptradeError):
    """What was read is no archive of ours."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How long a frame is where it is stored, how much of the file it holds, and the SHA-256 of what is stored."""

    stored_bytes: int
    file_bytes: int
    sha256: bytes

    @classmethod
    def of(cls, stored: bytes, file_bytes: int) -> Frame:
        """Return the frame that some bytes are."""
        return cls(len(stored), file_bytes, hashlib.sha256(stored).digest())


def encode_index(frames: Sequence[Frame]) -> bytes:
    """Return what follows the frames."""
    hashes = _skipped(HASHES_MAGIC, b"".join(frame.sha256 for frame in frames))
    entries = [(frame.stored_bytes, frame.file_bytes) for frame in frames] + [(len(hashes), 0)]
    table = b"".join(_ENTRY.pack(*entry) for entry in entries) + _FOOTER.pack(len(entries), 0, SEEKABLE_MAGIC)
    return hashes + _skipped(TABLE_MAGIC, table)


def decode_index(data: bytes) -> list[Frame]:
    """Read what `encode_index` made; raise NotPacked for anything else."""
    try:
        count, _, _ = _FOOTER.unpack(data[-_FOOTER.size :])
        hashes = data[_SKIPPED.size : _SKIPPED.size + (count - 1) * _HASH.size]
        table = data[2 * _SKIPPED.size + len(hashes) : -_FOOTER.size]
        entries = list(_ENTRY.iter_unpack(table))[:-1]
        frames = [
            Frame(stored, held, digest)
            for (stored, held), (digest,) in zip(entries, _HASH.iter_unpack(hashes), strict=True)
        ]
    except (ValueError, struct.error) as ex:
        raise NotPacked("its index cannot be read") from ex
    if encode_index(frames) != data:
        raise NotPacked("its index is none of ours")
    return frames


def starts(lengths: Sequence[int]) -> list[int]:
    """Return where each of the parts of a file begins that have these lengths."""
    return list(accumulate(lengths, initial=0))[:-1]


def index_of(packed: Path) -> tuple[int, str]:
    """Return the length and the SHA-256 of a packed file's index; 0 and nothing where it has none."""
    with packed.open("rb") as file:
        if file.seek(0, 2) < _FOOTER.size:
            return 0, ""
        file.seek(-_FOOTER.size, 2)
        count, _, magic = _FOOTER.unpack(file.read())
        if magic != SEEKABLE_MAGIC:
            return 0, ""
        index_bytes = 2 * _SKIPPED.size + (count - 1) * _HASH.size + count * _ENTRY.size + _FOOTER.size
        file.seek(-index_bytes, 2)
        return index_bytes, hashlib.sha256(file.read()).hexdigest()


def _skipped(magic: int, data: bytes) -> bytes:
    return _SKIPPED.pack(magic, len(data)) + data
