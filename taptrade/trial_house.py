"""A folder and a Redis for a trial, begun in a moment and gone without a trace; the present data may lie in it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from runtime.function_settings import file_of
from runtime.messaging.connection import connect, wait_until_ready
from runtime.settings import Settings
from runtime.storage.database import DatabaseUnsafe
from taptrade import embedded_redis

START_S = 5
LOOK_EVERY_S = 0.005
START_ATTEMPTS = 100
STOP_S = 5


@contextmanager
def throw_away(settings: Settings, *, present: bool = False) -> Iterator[Settings]:
    """Return the settings of a house of its own; `present` lays the databases of this one into it, to be read."""
    if present and not settings.database_url and not settings.database.exists():
        raise DatabaseUnsafe(f"there is no database at {settings.database}; start one with `taptrade up`")
    with tempfile.TemporaryDirectory(prefix="taptrade-trial-") as name:
        data = Path(name)
        beside = (settings.ticks_database,) if settings.database_url else (settings.database, settings.ticks_database)
        for database in beside if present else ():
            # SQLite goes to the file that a link leads to, and so to its log.
            (data / database.name).symlink_to(database)
        with _redis(data) as url:
            # Of the present house's, as are the settings of its functions.
            file = str(file_of(settings))
            ledger = settings.database_url if present else ""
            yield replace(settings, data=data, database_url=ledger, redis_url=url, function_settings=file)


@contextmanager
def _redis(data: Path) -> Iterator[str]:
    url = embedded_redis.prepare(data)
    environment = {**os.environ, "LC_ALL": "C"}
    with (data / "redis.log").open("wb") as log:
        server = subprocess.Popen(embedded_redis.command(data), stdout=log, stderr=log, env=environment)
    client, socket = connect(url), Path(url.removeprefix("unix://"))
    try:
        deadline_s = time.monotonic() + START_S
        while not socket.exists() and time.monotonic() < deadline_s:
            time.sleep(LOOK_EVERY_S)
        wait_until_ready(client, time.sleep, attempts=START_ATTEMPTS)
        yield url
    finally:
        client.close()
        server.kill()  # it keeps nothing
        server.wait(STOP_S)
