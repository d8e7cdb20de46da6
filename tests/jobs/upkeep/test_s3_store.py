"""Archives in S3, against a real server of that protocol: written once, in parts, and read back."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from jobs.upkeep.archive_store import ArchiveStore, StoreFailed, open_store
from jobs.upkeep.frames import NotPacked
from jobs.upkeep.restore import recorded, restore, verify
from jobs.upkeep.s3_store import S3Store
from jobs.upkeep.stored_week import open_stored
from runtime.explanation import find_bet
from runtime.game.bets import COLUMNS, from_row
from runtime.settings import load
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer_desk import Desk

MB = 1024 * 1024
PART_BYTES = 5 * MB
"""The least that the protocol allows."""
BUCKET = "weeks"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Start a server with a bucket; its address."""
    from moto.server import ThreadedMotoServer

    kept = dict(os.environ)
    os.environ |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client(address).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield address
    server.stop()
    os.environ.clear()
    os.environ |= kept


class Asked:
    """A store that notes what is asked of it by ranges, and that refuses to be read whole."""

    def __init__(self, store: ArchiveStore) -> None:
        self._store = store
        self.ranges: list[int] = []

    def put(self, name: str, path: Path) -> bool:
        raise NotImplementedError

    def read(self, name: str) -> Iterator[bytes]:
        raise NotImplementedError

    def names(self, prefix: str) -> list[str]:
        raise NotImplementedError

    def read_range(self, name: str, start: int, length: int) -> bytes:
        data = self._store.read_range(name, start, length)
        self.ranges.append(len(data))
        return data


def client(address: str) -> Any:
    return boto3.client("s3", endpoint_url=address)


def store_at(endpoint: str, prefix: str) -> S3Store:
    return S3Store(BUCKET, prefix, endpoint, "STANDARD_IA", PART_BYTES)


@pytest.mark.integration
@pytest.mark.parametrize("length", [0, 1000, PART_BYTES + 1], ids=["empty", "short", "in parts"])
def test_what_is_stored_is_read_back_and_never_written_again(endpoint: str, tmp_path: Path, length: int) -> None:
    store = store_at(endpoint, f"once-{length}")
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(os.urandom(length))
    second.write_bytes(b"other" + os.urandom(length))
    assert store.put("week", first)
    assert not store.put("week", second)
    if length:
        assert store.read_range("week", length - 30, 20) == first.read_bytes()[-30:-10]
        assert store.read_range("week", length - 5, 20) == first.read_bytes()[-5:]
        with pytest.raises(StoreFailed, match="InvalidRange"):
            store.read_range("week", length, 1)
    assert b"".join(store.read("week")) == first.read_bytes()
    head = client(endpoint).head_object(Bucket=BUCKET, Key=f"once-{length}/week")
    assert head["StorageClass"] == "STANDARD_IA"
    assert store.put("weak", second)
    assert (store.names("w"), store.names("wee"), store.names("x")) == (["weak", "week"], ["week"], [])


@pytest.mark.integration
def test_parts_that_a_killed_run_left_are_given_up(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, path = store_at(endpoint, "killed"), tmp_path / "long"
    path.write_bytes(os.urandom(PART_BYTES + 1))
    left = client(endpoint).create_multipart_upload(Bucket=BUCKET, Key="killed/week")
    assert store.put("week", path)
    uploads = client(endpoint).list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    assert left["UploadId"] not in [one["UploadId"] for one in uploads]
    assert b"".join(store.read("week")) == path.read_bytes()


@pytest.mark.integration
def test_what_is_not_there_or_does_not_answer_is_named(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreFailed, match=r"s3://weeks/none/: week: .*NoSuchKey"):
        list(store_at(endpoint, "none").read("week"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
        (tmp_path / "file").write_bytes(b"1")
        monkeypatch.setattr("jobs.upkeep.s3_store.ATTEMPTS", 1)
        with pytest.raises(StoreFailed, match="Could not connect"):
            store_at(nowhere, "x").put("week", tmp_path / "file")


@pytest.mark.integration
def test_a_week_goes_to_s3_and_comes_back(
    desk: Desk, tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(
        {
            "TAPTRADE_DATA": str(tmp_path),
            "TAPTRADE_ARCHIVE_URL": f"s3://{BUCKET}/house/one",
            "TAPTRADE_ARCHIVE_ENDPOINT": endpoint,
        }
    )
    monkeypatch.setattr("jobs.upkeep.packing.FRAME_BYTES", 4096)
    shelf = Shelf(desk, tmp_path, open_store(settings))
    week = shelf.play_week()
    bet = from_row(desk.database.execute(f"SELECT {', '.join(COLUMNS)} FROM bets WHERE seq = 1")[0])
    shelf.on_sunday()
    made = shelf.archive()
    assert shelf.faults() == []
    stored = client(endpoint).list_objects_v2(Bucket=BUCKET, Prefix="house/one/")["Contents"]
    assert [one["Key"] for one in stored] == [f"house/one/{week.file}.zst", f"house/one/{week.file}.zst.json"]
    one = recorded(desk.database)[week]
    verify(settings, shelf.store, desk.database, one)
    kept = tmp_path / "weeks" / week.file
    whole = kept.read_bytes()
    asked = Asked(shelf.store)
    with open_stored(asked, one) as stored_week:
        assert find_bet(stored_week.execute, bet.id) == bet
        assert (len(asked.ranges), sum(asked.ranges)) == (stored_week.file.requests, stored_week.file.read_bytes)
    assert asked.ranges[0] == one.manifest.index_bytes
    assert 2 < len(asked.ranges) < 20
    assert sum(asked.ranges) < one.manifest.stored_bytes
    kept.unlink()
    path = restore(settings, shelf.store, desk.database, one)
    assert path.read_bytes() == whole
    assert one.manifest == made[0]
    client(endpoint).put_object(Bucket=BUCKET, Key=f"house/one/{week.file}.zst", Body=b"rubbish")
    with pytest.raises(NotPacked, match="cannot be decompressed"):
        verify(settings, shelf.store, desk.database, one)
