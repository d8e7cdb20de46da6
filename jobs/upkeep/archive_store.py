"""Where archives are stored: a folder, or a bucket of S3. What is there is never written again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from runtime.errors import TaptradeError
from runtime.settings import Settings
from runtime.storage.files import to_disk

CHUNK_BYTES = 1024 * 1024
FOLDER = "archives"
"""In the data folder, where no other address is set."""


class StoreFailed(TaptradeError):
    """The archive store does not do what it should."""


class ArchiveStore(Protocol):
    """Objects by name, each written once."""

    def put(self, name: str, path: Path) -> bool:
        """Store a file; return False, with nothing changed, where an object of that name is there."""
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """Yield what is stored, from its first byte to its last; raise StoreFailed if it is not there."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin so, in order; raise StoreFailed if that cannot be found out."""
        ...

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Return some bytes of what is stored, fewer where it ends before; raise StoreFailed as `read` does."""
        ...


class FolderStore:
    """A folder of this machine, or one that is mounted on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, path: Path) -> bool:
        """Copy a file under its name; it is there in full or not at all, also after a loss of power."""
        unfinished = self._folder / f".{name}.unfinished"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("rb") as source, unfinished.open("wb") as copy:
                shutil.copyfileobj(source, copy, CHUNK_BYTES)
                copy.flush()
                os.fsync(copy.fileno())
            try:
                os.link(unfinished, self._folder / name)
            except FileExistsError:
                return False
            finally:
                unfinished.unlink()
            to_disk(self._folder)
        except OSError as ex:
            raise StoreFailed(f"{self._folder / name}: {ex.strerror}") from ex
        return True

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes."""
        try:
            with (self._folder / name).open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except OSError as ex:
            raise StoreFailed(f"{self._folder / name}: {ex.strerror}") from ex

    def names(self, prefix: str) -> list[str]:
        """List the folder; one that is not there is empty."""
        return sorted(path.name for path in self._folder.glob(f"{prefix}*"))

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Read some bytes of a file."""
        try:
            with (self._folder / name).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except OSError as ex:
            raise StoreFailed(f"{self._folder / name}: {ex.strerror}") from ex


def open_store(settings: Settings) -> ArchiveStore:
    """Open the store that is set."""
    url = settings.archive_url
    if url.startswith("s3://"):
        from jobs.upkeep.s3_store import S3Store  # no other process loads its library

        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        return S3Store(bucket, prefix, settings.archive_endpoint, settings.archive_storage_class)
    return FolderStore(Path(url) if url else settings.data / FOLDER)
