"""Which engine holds the ledger: SQLite's file in the data folder, or the PostgreSQL that a setting names.

It is chosen where something is opened, once; from then on nobody asks. psycopg is loaded only where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.game.ledger import Commit
from runtime.process_lock import LockHeld
from runtime.settings import Settings
from runtime.storage import database as sqlite
from runtime.storage import migrate as sqlite_schema
from runtime.storage.connection import Database
from runtime.storage.database import LEDGER_MIGRATIONS, AnotherWrites, DatabaseError, DatabaseUnsafe
from runtime.storage.migrate import Check
from runtime.storage.read_pool import Apply, ReadPool, directly
from runtime.storage.remake import Progress

WRITER_PATIENCE_S = 10.0
"""How long a commit may take before its server is given up; without its synchronous standby it would wait for ever."""


class NotOnPostgreSQL(TaptradeError):
    """What is asked for works on SQLite's file only."""


def refuse_on_postgresql(settings: Settings, what: str, instead: str) -> None:
    """Raise NotOnPostgreSQL where PostgreSQL holds the ledger; the sentence says what takes its place."""
    if settings.database_url:
        raise NotOnPostgreSQL(f"{what} is not there for a ledger on PostgreSQL; {instead}")


def name_of(settings: Settings) -> str:
    """Return how the ledger's database is called before people; a URL is none of their business."""
    return "the database of TAPTRADE_DATABASE_URL" if settings.database_url else str(settings.database)


def open_reader(settings: Settings) -> Database:
    """Open the ledger read-only; raise OperationalError if it cannot be reached."""
    if not settings.database_url:
        return sqlite.open_reader(settings.database)
    from runtime.postgresql.connection import PostgresDatabase

    return PostgresDatabase(settings.database_url)


def open_migrated(settings: Settings) -> Database:
    """Open the ledger read-only; raise DatabaseUnsafe or WrongSchema if it cannot be read or is not ours."""
    if not settings.database_url:
        return sqlite_schema.open_migrated(settings.database, LEDGER_MIGRATIONS)
    from runtime.postgresql.connection import PostgresDatabase
    from runtime.postgresql.schema import require_migrated

    with naming(settings):
        database = PostgresDatabase(settings.database_url)
        require_migrated(database)
    return database


def open_writer(settings: Settings) -> Database:
    """Open the ledger as the one process that writes it; checkpoints are left to others.

    Raise LockHeld where another writer is at work on PostgreSQL, wherever that is.
    """
    if not settings.database_url:
        return sqlite.open_writer(settings.database, checkpoint_pages=0)
    from runtime.postgresql.connection import WRITING, PostgresDatabase

    try:
        return PostgresDatabase(settings.database_url, prepare=WRITING, lock=True, patience_s=WRITER_PATIENCE_S)
    except AnotherWrites as ex:
        raise LockHeld(f"another writer is at work on {name_of(settings)}") from ex


SIGN_EVERY_MS = 1_000
"""How often the writer on PostgreSQL asks for something, that spares see it live."""


def give_sign(database: Database) -> None:
    """Let whoever stands by on PostgreSQL see that the writer of a connection lives."""
    from runtime.postgresql.translation import OWN

    database.execute(OWN["sign_of_life"])


def await_vacancy(settings: Settings, pause: Callable[[], object]) -> None:
    """Stand by on PostgreSQL until nobody is the writer; raise OperationalError where that cannot be asked."""
    from runtime.postgresql import spare

    spare.await_vacancy(settings.database_url, pause)


def commit_type(settings: Settings) -> type[Commit]:
    """Return what writes commits as the engine takes them."""
    if not settings.database_url:
        return Commit
    from runtime.postgresql.commit import PostgresCommit

    return PostgresCommit


def read_pool(settings: Settings, clock: Clock, apply: Apply[Any] = directly) -> ReadPool:
    """Return read-only connections to the ledger; `apply` says where it is read."""
    if not settings.database_url:
        return ReadPool(settings.database, clock, apply)
    from runtime.postgresql.read_pool import PostgresReadPool

    return PostgresReadPool(settings.database_url, clock, apply)


def lacks(settings: Settings) -> list[str]:
    """Return the migrations that the ledger lacks; raise WrongSchema where it is not ours."""
    if not settings.database_url:
        return [one.name for one in sqlite_schema.missing_migrations(settings.database, LEDGER_MIGRATIONS)]
    from runtime.postgresql.connection import PostgresDatabase
    from runtime.postgresql.schema import lacking

    with naming(settings):
        database = PostgresDatabase(settings.database_url)
        try:
            return [one.name for one in lacking(database)]
        finally:
            database.close()


def migrate(settings: Settings, clock: Clock, progress: Progress, check: Check) -> list[str]:
    """Apply what the ledger lacks; return the names of what was applied."""
    if not settings.database_url:
        return sqlite_schema.migrate(settings.database, LEDGER_MIGRATIONS, clock, progress, check)
    from runtime.postgresql import schema

    with naming(settings):
        return schema.migrate(settings.database_url, clock)


def naming(settings: Settings) -> AbstractContextManager[None]:
    """Raise DatabaseUnsafe that names the database, for whatever is said of it."""
    return _naming_url() if settings.database_url else sqlite.naming(settings.database)


@contextmanager
def _naming_url() -> Iterator[None]:
    try:
        yield
    except DatabaseError as ex:
        raise DatabaseUnsafe(f"the database of TAPTRADE_DATABASE_URL cannot be used: {ex}") from ex


def epoch_of(database: Database) -> int:
    """Return the epoch in which a writer's connection commits; 0 where there are none."""
    return int(getattr(database, "epoch", None) or 0)
