"""The form of a stored week: any zstd unpacks it, it is read by ranges, and a run that was killed is taken up again."""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import zstandard

from jobs.upkeep import packing
from jobs.upkeep.archive_store import FolderStore, StoreFailed
from jobs.upkeep.frames import NotPacked, decode_index, encode_index, index_of
from jobs.upkeep.packing import Paused, compress, unpack
from jobs.upkeep.ranges import AHEAD_FRAMES_MAX, StoredFile
from runtime.archive.manifest import Content, Manifest
from runtime.storage.files import sha256_of

FRAME_BYTES = 4096


def never() -> bool:
    return False


SEEKABLE = bytes.fromhex("b1ea928f")
"""The last bytes of the published format."""


@pytest.fixture(autouse=True)
def _short_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "FRAME_BYTES", FRAME_BYTES)


@dataclass
class Packed:
    """A file of seven frames, and what was made of it."""

    folder: Path
    data: bytes = field(default_factory=lambda: random.Random(7).randbytes(6 * FRAME_BYTES + 100))

    def __post_init__(self) -> None:
        self.file, self.path = self.folder / "week.db", self.folder / "week.db.zst"
        self.file.write_bytes(self.data)
        compress(self.file, self.path, never)

    @property
    def manifest(self) -> Manifest:
        content = Content("2026_w01", 1, 1, 1, 1, "", "", "", "", 1, 0, {}, 0, 0, 0, {}, 0, 0, 0, [])
        stored = (self.path.stat().st_size, sha256_of(self.path), *index_of(self.path))
        return Manifest(content, "week.db", len(self.data), sha256_of(self.file), *stored)

    def open(self, manifest: Manifest | None = None) -> StoredFile:
        return StoredFile(FolderStore(self.folder), self.path.name, manifest or self.manifest)


@pytest.fixture
def packed(tmp_path: Path) -> Packed:
    return Packed(tmp_path)


def test_any_zstd_unpacks_it_and_it_ends_as_the_format_says(packed: Packed) -> None:
    stored = packed.path.read_bytes()
    with zstandard.open(packed.path, "rb") as unpacked:
        assert unpacked.read() == packed.data
    assert stored.endswith(SEEKABLE)
    hashes = unpack(stored[at : at + 1000] for at in range(0, len(stored), 1000))
    assert hashes == (hashlib.sha256(stored).hexdigest(), hashlib.sha256(packed.data).hexdigest())


def test_a_killed_run_is_taken_up_after_its_last_whole_frame(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = packed.path.read_bytes()
    fresh: list[bytes] = []
    real = packing._packed

    def noted(chunk: bytes) -> bytes:
        fresh.append(chunk)
        return real(chunk)

    monkeypatch.setattr(packing, "_packed", noted)
    unfinished = packed.path.with_name(f"{packed.path.name}.unfinished")
    for left, frames in ((0, 7), (10, 7), (FRAME_BYTES + 100, 6), (len(stored), 0)):
        unfinished.write_bytes(stored[:left])
        compress(packed.file, packed.path, never)
        assert (packed.path.read_bytes(), len(fresh)) == (stored, frames)
        fresh.clear()
    unfinished.write_bytes(b"rubbish" + stored)
    compress(packed.file, packed.path, never)
    assert packed.path.read_bytes() == stored


def test_a_paused_run_is_taken_up_too(packed: Packed) -> None:
    stored = packed.path.read_bytes()
    packed.path.unlink()
    runs = 0
    while not packed.path.exists():
        with suppress(Paused):
            compress(packed.file, packed.path, lambda: True)
        runs += 1
        assert runs <= 8
    assert runs > 1
    assert packed.path.read_bytes() == stored


def test_ranges_of_it_are_read_and_no_more(packed: Packed) -> None:
    file = packed.open()
    assert (file.requests, file.read_bytes) == (1, packed.manifest.index_bytes)
    assert file.read(3 * FRAME_BYTES - 10, 20) == packed.data[3 * FRAME_BYTES - 10 : 3 * FRAME_BYTES + 10]
    assert file.read(2 * FRAME_BYTES, 10) == packed.data[2 * FRAME_BYTES :][:10]
    assert file.read_bytes < packed.manifest.stored_bytes - 2 * FRAME_BYTES
    assert file.read(len(packed.data) - 5, 100) == packed.data[-5:]
    assert file.read(len(packed.data), 1) == b""


def test_who_walks_a_table_asks_less_and_less_often(packed: Packed) -> None:
    file = packed.open()
    read = b"".join(file.read(at, 512) for at in range(0, len(packed.data), 512))
    assert read == packed.data
    assert AHEAD_FRAMES_MAX == 4
    assert file.requests == 1 + len(([0], [1, 2], [3, 4, 5, 6]))
    assert file.read_bytes == packed.manifest.stored_bytes


def test_little_is_kept_in_memory(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.upkeep.ranges.KEPT_FRAMES", 2)
    file = packed.open()
    for at in (0, 4, 2, 6):
        file.read(at * FRAME_BYTES, 10)
    before = file.requests
    file.read(6 * FRAME_BYTES, 10)
    assert file.requests == before
    file.read(0, 10)
    assert file.requests == before + 1


@pytest.mark.parametrize("at", [0, 1])
def test_what_is_damaged_is_refused(packed: Packed, at: int) -> None:
    manifest = packed.manifest
    stored = bytearray(packed.path.read_bytes())
    stored[2000 if at == 0 else -30] ^= 1
    packed.path.write_bytes(stored)
    if at:
        with pytest.raises(StoreFailed, match="its index is not what was stored"):
            packed.open(manifest)
        return
    file = packed.open(manifest)
    assert file.read(5 * FRAME_BYTES, 10) == packed.data[5 * FRAME_BYTES :][:10]
    with pytest.raises(StoreFailed, match="its frame 0 is not what was stored"):
        file.read(0, 10)


def test_an_index_that_is_none_is_refused(packed: Packed, tmp_path: Path) -> None:
    frames = decode_index(packed.path.read_bytes()[-packed.manifest.index_bytes :])
    index = encode_index(frames)
    for wrong in (b"", index[1:], index[:-1], index[:8] + index[40:], bytes(len(index))):
        with pytest.raises(NotPacked):
            decode_index(wrong)
    plain = tmp_path / "plain"
    for data in (b"", zstandard.ZstdCompressor().compress(b"one frame, as older archives are")):
        plain.write_bytes(data)
        assert index_of(plain) == (0, "")
