"""Fixtures of the write-ahead log's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.storage.database import SqliteDatabase, open_writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a database is to be."""
    return tmp_path / "some.db"


@pytest.fixture
def writer(path: Path) -> Iterator[SqliteDatabase]:
    """Return the one connection that commits, and that leaves checkpoints to others."""
    writer = open_writer(path, checkpoint_pages=0)
    writer.execute("CREATE TABLE bulk (id INTEGER PRIMARY KEY, bytes BLOB) STRICT")
    yield writer
    writer.close()


@pytest.fixture
def copier(path: Path) -> Iterator[SqliteDatabase]:
    """Return the connection of a checkpointer whose thread a test is."""
    copier = open_writer(path, checkpoint_pages=0)
    copier.execute("PRAGMA busy_timeout = 20")
    yield copier
    copier.close()
