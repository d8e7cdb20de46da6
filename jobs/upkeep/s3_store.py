"""Archives in S3, or in whatever speaks like it: written once, each part with its checksum. Credentials are boto3's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from jobs.upkeep.archive_store import CHUNK_BYTES, StoreFailed

PART_BYTES = 64 * 1024 * 1024
THERE_ALREADY = {"PreconditionFailed", "ConditionalRequestConflict"}
ATTEMPTS = 5
ONCE: dict[str, Any] = {"IfNoneMatch": "*"}
CHECKED: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"}


class S3Store:
    """A bucket, and what every object's key begins with."""

    def __init__(
        self, bucket: str, prefix: str, endpoint: str, storage_class: str, part_bytes: int = PART_BYTES
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._storage = {"StorageClass": storage_class}
        self._part_bytes = part_bytes
        config = Config(
            retries={"mode": "standard", "max_attempts": ATTEMPTS},
            connect_timeout=10,
            read_timeout=60,
            # Names of buckets are no names of hosts where an endpoint of one's own answers.
            s3={"addressing_style": "path"} if endpoint else {},
        )
        with self._failing("open it"):
            self._client: Any = boto3.client("s3", endpoint_url=endpoint or None, config=config)

    def put(self, name: str, path: Path) -> bool:
        """Upload a file, in parts where it is long; the last request fails if an object has come in between."""
        where = {"Bucket": self._bucket, "Key": self._prefix + name}
        with self._failing(name):
            try:
                if path.stat().st_size <= self._part_bytes:
                    with path.open("rb") as body:
                        self._client.put_object(**where, **self._storage, **CHECKED, **ONCE, Body=body)
                else:
                    self._put_parts(where, path)
            except ClientError as ex:
                if ex.response["Error"]["Code"] in THERE_ALREADY:
                    return False
                raise
        return True

    def _put_parts(self, where: dict[str, Any], path: Path) -> None:
        # What a killed run has left costs room until it is given up.
        left = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=where["Key"])
        for upload in left.get("Uploads", ()):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        upload_id = self._client.create_multipart_upload(**where, **self._storage, **CHECKED)["UploadId"]
        try:
            parts: list[dict[str, Any]] = []
            with path.open("rb") as file:
                while body := file.read(self._part_bytes):
                    number = len(parts) + 1
                    sent = self._client.upload_part(
                        **where, UploadId=upload_id, PartNumber=number, Body=body, **CHECKED
                    )
                    part = {"PartNumber": number, "ETag": sent["ETag"]}
                    if "ChecksumSHA256" in sent:
                        part["ChecksumSHA256"] = sent["ChecksumSHA256"]
                    parts.append(part)
            self._client.complete_multipart_upload(
                **where, **ONCE, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(**where, UploadId=upload_id)
            raise

    def read(self, name: str) -> Iterator[bytes]:
        """Download an object."""
        with self._failing(name):
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            yield from found["Body"].iter_chunks(CHUNK_BYTES)

    def names(self, prefix: str) -> list[str]:
        """List the bucket, page by page."""
        with self._failing(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return sorted(key.removeprefix(self._prefix) for key in keys)

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Download some bytes of an object."""
        with self._failing(name):
            span = f"bytes={start}-{start + length - 1}"
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name, Range=span)
            data: bytes = found["Body"].read()
            return data

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        """Raise StoreFailed for whatever the library says."""
        try:
            yield
        except (BotoCoreError, ClientError) as ex:
            raise StoreFailed(f"s3://{self._bucket}/{self._prefix}: {what}: {ex}") from ex
