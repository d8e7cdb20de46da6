"""Reading recordings: the shipped one, each form of file, and what is refused."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard

from jobs.feed.recording import SHIPPED, Recording, RecordingError, read_recording

TEXT = b"ts_ms,price\n1000,93748.95\n1250,93749.50\n1250,93749\n2000,93750.1\n"
READ = Recording((1000, 1250, 1250, 2000), (9_374_895, 9_374_950, 9_374_900, 9_375_010))


def test_the_shipped_recording_is_an_hour_after_ten_minutes_without_long_gaps() -> None:
    recording = read_recording(SHIPPED)
    gaps = [after - before for before, after in pairwise(recording.times_ms)]
    assert len(recording.times_ms) == 12_848
    assert recording.round_ms >= 4_199_000
    assert max(gaps) < 10_000
    # So many rounds do not carry the price away.
    assert abs(recording.cents[-1] - recording.cents[0]) < 500
    assert SHIPPED.stat().st_size < 100_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", TEXT, id="plain"),
        pytest.param("a.csv.gz", gzip.compress(TEXT), id="gzip"),
        pytest.param("a.csv.zst", zstandard.ZstdCompressor().compress(TEXT), id="zstandard"),
    ],
)
def test_each_form_is_read(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert read_recording(path) == READ


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "the first line must be", id="empty"),
        pytest.param(b"time,price\n1,2\n3,4\n", "the first line must be", id="other header"),
        pytest.param(b"ts_ms,price\n1,2.00\n", "at least two rows", id="one row"),
        pytest.param(b"ts_ms,price\n1,2.00\n1,2.00\n", "different times", id="no span"),
        pytest.param(b"ts_ms,price\n5,2.00\n4,2.00\n", ":3: times must not decrease", id="back in time"),
        pytest.param(b"ts_ms,price\n1,2.00\n2,0\n", ":3: '2,0': price must be positive", id="zero"),
        pytest.param(b"ts_ms,price\n1,2.001\n2,3\n", ":2:", id="fraction of a cent"),
        pytest.param(b"ts_ms,price\n1,NaN\n2,3\n", ":2:", id="not a number"),
        pytest.param(b"ts_ms,price\n1,Infinity\n2,3\n", ":2:", id="infinite"),
        pytest.param(b"ts_ms,price\n1\n2,3\n", ":2:", id="missing column"),
        pytest.param(b"ts_ms,price\n1,\xff\n2,3\n", "can't decode", id="not text"),
    ],
)
def test_what_is_wrong_is_refused_with_file_and_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(RecordingError) as refused:
        read_recording(path)
    assert str(path) in str(refused.value)
    assert reason in str(refused.value)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst", "missing.csv"])
def test_a_file_that_cannot_be_unpacked_or_found_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "missing" not in name:
        path.write_bytes(TEXT)
    with pytest.raises(RecordingError, match=name):
        read_recording(path)
