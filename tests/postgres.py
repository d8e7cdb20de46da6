"""A real PostgreSQL for tests, in memory where there is room; each test gets a database of its own with our schema."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from loadtest import postgres
from loadtest.postgres import Cluster
from runtime.clock import SystemClock
from runtime.postgresql import schema

MEMORY = Path("/dev/shm")
TEMPLATE = "template_house"
LEFT_OUT = "PostgreSQL was not started"
SMALL = ("shared_buffers=32MB", "max_connections=60", "autovacuum=off")


class Postgres:
    """A server, and the databases in it."""

    def __init__(self, running: Cluster, maker: psycopg.Connection[Any]) -> None:
        """`maker` is a session that makes databases; their copies are files, quicker than through the log."""
        self.running = running
        self._maker = maker
        self._numbers = itertools.count(1)

    def empty(self) -> str:
        """Make a database without a table; its URL."""
        return self._made("template0")

    def house(self) -> str:
        """Make a database with our schema; its URL."""
        return self._made(TEMPLATE)

    def _made(self, template: str) -> str:
        name = f"house_{next(self._numbers)}"
        self._maker.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.running.url(name)


@contextmanager
def started() -> Iterator[Postgres]:
    """Run a server for the length of the block; raise NoPostgres where there is none."""
    postgres.programs()
    # Another user runs it where we are root, and passes through no folder of ours.
    folder = Path(tempfile.mkdtemp(prefix="tap-pg-", dir=MEMORY if MEMORY.is_mount() else None))
    try:
        with (
            postgres.server(folder / "postgres", *SMALL, sockets_in=folder) as running,
            psycopg.connect(running.url("postgres"), autocommit=True) as maker,
        ):
            maker.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
            schema.migrate(running.url(TEMPLATE), SystemClock())
            yield Postgres(running, maker)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
