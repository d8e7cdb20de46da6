"""A database with our schema, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from runtime.postgresql.connection import WRITING, PostgresDatabase
from tests.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    """Return the URL of a database with our schema."""
    return postgres.house()


@pytest.fixture
def database(url: str) -> Iterator[PostgresDatabase]:
    """Return a connection that may write."""
    with closing(PostgresDatabase(url, prepare=WRITING)) as found:
        yield found
