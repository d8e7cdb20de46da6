"""Litestream's configuration, and the way to a store of S3's kind and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from runtime.settings import SettingsError, load
from runtime.storage.database import open_reader, open_writer
from taptrade import litestream
from tests.taptrade.shipping import ship

BUCKET = "replicas"


NAMES = ("taptrade.db", "ticks.db", "functions.db")


def configured(data: Path, url: str, endpoint: str = "", **environ: str) -> Any:
    return msgspec.json.decode(litestream.configuration(data, url, endpoint, data / "socket", environ))


def test_a_folder_gets_a_folder_for_each_database(tmp_path: Path) -> None:
    config = configured(tmp_path, "/elsewhere/")
    paths = {one["path"]: one["replica"]["path"] for one in config["dbs"]}
    assert paths == {str(tmp_path / name): f"/elsewhere/{name}" for name in NAMES}
    assert (config["socket"]["path"], config["socket"]["permissions"]) == (str(tmp_path / "socket"), 0o600)
    shipped_within_ms = litestream.SHIPPED_EVERY_MS + litestream.SENT_WITHIN_MS
    assert shipped_within_ms <= 600, "the store needs some of the second too"


def test_a_bucket_gets_its_prefix_region_and_endpoint_and_no_secret(tmp_path: Path) -> None:
    secrets = {"AWS_ACCESS_KEY_ID": "name", "AWS_SECRET_ACCESS_KEY": "word"}
    [first, *_] = configured(tmp_path, "s3://bucket/a/b/", "https://s3.example", AWS_REGION="eu", **secrets)["dbs"]
    assert {"bucket": "bucket", "path": "a/b/taptrade.db", "region": "eu", "type": "s3"}.items() <= first[
        "replica"
    ].items()
    assert {"endpoint": "https://s3.example", "force-path-style": True}.items() <= first["replica"].items()
    assert not {"name", "word"} & set(map(str, first["replica"].values()))
    [first, *_] = configured(tmp_path, "s3://bucket", AWS_DEFAULT_REGION="us")["dbs"]
    assert (first["replica"]["path"], first["replica"]["region"]) == ("taptrade.db", "us")
    assert "endpoint" not in first["replica"]


def test_only_what_is_its_own_is_in_its_environment() -> None:
    found = litestream.surroundings({"LITESTREAM_CONFIG": "x", "AWS_CA_BUNDLE": "/a.pem", "AWS_ACCESS_KEY_ID": "key"})
    assert found == {"SSL_CERT_FILE": "/a.pem", "AWS_ACCESS_KEY_ID": "key"}
    assert litestream.surroundings({"AWS_CA_BUNDLE": "/a", "SSL_CERT_FILE": "/b"}) == {"SSL_CERT_FILE": "/b"}


def test_no_address_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TAPTRADE_REPLICA_URL is not set"):
        litestream.replica_of(load({"TAPTRADE_DATA": str(tmp_path)}))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a server of that protocol with a bucket; its address."""
    from moto.server import ThreadedMotoServer

    for name, value in (("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "word"), ("DEFAULT_REGION", "eu-central-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    where = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    yield address
    server.stop()


@pytest.mark.integration
def test_through_a_bucket_and_back(endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for database in litestream.databases(tmp_path):
        writer = open_writer(database)
        writer.execute("CREATE TABLE one (name TEXT) STRICT")
        writer.execute("INSERT INTO one VALUES (?)", (database.name,))
        writer.close()
    ship(tmp_path, f"s3://{BUCKET}/house", endpoint)
    steps: list[int] = []
    replica = litestream.Replica(f"s3://{BUCKET}/house", endpoint, os.environ)
    replica.restore(tmp_path / "new", None, lambda done, _: steps.append(done))
    for database in litestream.databases(tmp_path / "new"):
        reader = open_reader(database)
        assert reader.execute("SELECT name FROM one") == [(database.name,)]
        reader.close()
    assert steps == [0, 1, 2, 3]
    with pytest.raises(litestream.ReplicaFailed, match="nothing of it is in"):
        litestream.Replica(f"s3://{BUCKET}/other", endpoint, os.environ).restore(
            tmp_path / "new", None, lambda *_: None
        )
