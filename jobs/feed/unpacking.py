"""The content of a file that may be packed, in blocks: plain, gzip or zstandard, told by how it begins, not by name."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from runtime.errors import TaptradeError

GZIP = b"\x1f\x8b"
ZSTANDARD = (b"\x28\xb5\x2f\xfd", *(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60)))
"""A frame of data, and those that a reader passes over."""
BLOCK_BYTES = 64 * 1024
# All that comes of one piece is in memory at once, and a zstandard block of four bytes can unpack to 128 KB.
PACKED_BYTES = 1024


class UnpackingError(TaptradeError):
    """A file cannot be read to its end."""


def unpacked(path: Path) -> Iterator[bytes]:
    """Yield what is in the file; raise UnpackingError that names it if it is no file, cut short or damaged."""
    try:
        # A pipe would be waited for, perhaps for ever.
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnpackingError(f"{path}: is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")
        with path.open("rb") as file:
            start = file.peek(4)
            if start.startswith(GZIP):
                yield from _blocks(gzip.GzipFile(fileobj=file))
            elif start.startswith(ZSTANDARD):
                yield from _zstandard(file)
            else:
                yield from _blocks(file)
    except EOFError as ex:
        raise UnpackingError(f"{path}: is cut short, its packed data does not come to an end") from ex
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as ex:
        raise UnpackingError(f"{path}: its packed data is damaged ({ex})") from ex
    except OSError as ex:
        raise UnpackingError(f"{path}: {ex.strerror or ex}") from ex


def _blocks(file: gzip.GzipFile | BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def _zstandard(file: BinaryIO) -> Iterator[bytes]:
    """Yield what all frames hold; the library's own reader takes a cut frame for a whole one."""
    decompressor = zstandard.ZstdDecompressor()
    frame = decompressor.decompressobj()
    while packed := file.read(PACKED_BYTES):
        while packed:
            if frame.eof:
                frame = decompressor.decompressobj()
            yield frame.decompress(packed)
            packed = frame.unused_data
    if not frame.eof:
        raise EOFError
