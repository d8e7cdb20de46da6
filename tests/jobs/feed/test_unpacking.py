"""Files as they come: packed or not, whatever their name, and refused where they are cut, damaged or no files."""

from __future__ import annotations

import bz2
import gzip
import os
from pathlib import Path
from random import Random

import pytest
import zstandard

from jobs.feed.unpacking import UnpackingError, unpacked

TEXT = b"".join(b"%d,%d\n" % (at, Random(at).randrange(10**6)) for at in range(5_000))
GZIP = gzip.compress(TEXT)
ZSTANDARD = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)
PASSED_OVER = b"\x51\x2a\x4d\x18\x04\x00\x00\x00abcd"


def content(tmp_path: Path, packed: bytes, name: str = "some") -> bytes:
    path = tmp_path / name
    path.write_bytes(packed)
    return b"".join(unpacked(path))


@pytest.mark.parametrize("name", ["some.csv", "some.csv.gz", "some.csv.zst"])
@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(TEXT, id="plain"),
        pytest.param(GZIP, id="gzip"),
        pytest.param(gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:]), id="gzip in two members"),
        pytest.param(ZSTANDARD, id="zstandard"),
        pytest.param(PASSED_OVER + ZSTANDARD + PASSED_OVER, id="zstandard with more beside it"),
        pytest.param(
            b"".join(zstandard.ZstdCompressor().compress(part) for part in (TEXT[:999], TEXT[999:])),
            id="zstandard in two frames",
        ),
    ],
)
def test_how_a_file_begins_tells_how_it_is_packed(tmp_path: Path, name: str, packed: bytes) -> None:
    assert content(tmp_path, packed, name) == TEXT


def test_what_is_not_known_is_taken_as_it_is(tmp_path: Path) -> None:
    packed = bz2.compress(TEXT)
    assert content(tmp_path, packed) == packed
    assert content(tmp_path, b"") == b""


@pytest.mark.parametrize("share", [0.001, 0.3, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("packed", [pytest.param(GZIP, id="gzip"), pytest.param(ZSTANDARD, id="zstandard")])
def test_a_file_that_was_cut_is_refused_wherever(tmp_path: Path, packed: bytes, share: float) -> None:
    with pytest.raises(UnpackingError, match=r"some: is cut short, its packed data does not come to an end"):
        content(tmp_path, packed[: max(4, int(len(packed) * share))])


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(GZIP + b"more", id="more after gzip"),
        pytest.param(ZSTANDARD + b"more", id="more after zstandard"),
        pytest.param(GZIP[:99] + b"\xff" * 99 + GZIP[198:], id="gzip"),
        pytest.param(ZSTANDARD[:99] + b"\xff" * 99 + ZSTANDARD[198:], id="zstandard"),
    ],
)
def test_damage_is_told_in_a_sentence(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(UnpackingError, match=r"some: its packed data is damaged \("):
        content(tmp_path, packed)


def test_much_out_of_little_comes_in_small_pieces(tmp_path: Path) -> None:
    path = tmp_path / "some"
    path.write_bytes(zstandard.ZstdCompressor().compress(bytes(400_000_000)))
    assert len(next(iter(unpacked(path)))) < 50_000_000


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    for path, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "is no regular file"),
        (tmp_path / "missing", "No such file or directory"),
        (tmp_path / "file" / "within", "Not a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(UnpackingError) as refused:
            list(unpacked(path))
        assert str(refused.value) == f"{path}: {said}"
