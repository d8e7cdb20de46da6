"""Which engine holds the ledger: SQLite's file in the data folder, or the PostgreSQL that a setting names.

It is chosen where something is opened, once; from then on nobody asks. psycopg is loaded only where it is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.game.ledger import Commit
from runtime.game.limits import RiskLimits
from runtime.game.player_entries import Execute
from runtime.process_lock import LockHeld
from runtime.settings import Settings
from runtime.storage import database as sqlite
from runtime.storage import migrate as sqlite_schema
from runtime.storage.connection import Database
from runtime.storage.database import (
    LEDGER_MIGRATIONS,
    AnotherWrites,
    DatabaseError,
    DatabaseUnsafe,
    OperationalError,
)
from runtime.storage.migrate import Check
from runtime.storage.read_pool import Apply, ReadPool, directly
from runtime.storage.remake import Progress

if TYPE_CHECKING:
    from runtime.postgresql.house import House

logger = logging.getLogger(__name__)

WHOLE = 0
"""Who reads about all shards of a house says so for the shard; where there is one ledger, it is that."""
WRITER_PATIENCE_S = 10.0
"""How long a commit may take before its server is given up; without its synchronous standby it would wait for ever."""


class NotOnPostgreSQL(TaptradeError):
    """What is asked for works on SQLite's file only."""


class NotOnSQLite(TaptradeError):
    """What is asked for works on PostgreSQL only."""


def refuse_on_postgresql(settings: Settings, what: str, instead: str) -> None:
    """Raise NotOnPostgreSQL where PostgreSQL holds the ledger; the sentence says what takes its place."""
    if settings.database_url:
        raise NotOnPostgreSQL(f"{what} is not there for a ledger on PostgreSQL; {instead}")


def name_of(settings: Settings) -> str:
    """Return how the ledger's database is called before people; a URL is none of their business."""
    return "the database of TAPTRADE_DATABASE_URL" if settings.database_url else str(settings.database)


def shards_of(settings: Settings) -> int:
    """Return how many ledgers the house has: one on SQLite, on PostgreSQL what the database says."""
    if not settings.database_url:
        return 1
    from runtime.postgresql import schema

    return schema.shards_of(settings.database_url)


def count_shards(settings: Settings, execute: Execute) -> int:
    """Return the same, asked on a connection that is there."""
    if not settings.database_url:
        return 1
    from runtime.postgresql import schema

    return schema.shards_by(execute)


def await_shards(settings: Settings, pause: Callable[[], object]) -> int:
    """Return the same once the server says so; `pause` waits a moment each time."""
    trouble = ""
    while True:
        try:
            return shards_of(settings)
        except OperationalError as ex:
            if str(ex) != trouble:
                trouble = str(ex)
                logger.warning("waits for the database: %s", trouble)
            pause()


def add_shard(settings: Settings, clock: Clock, risk: RiskLimits) -> int:
    """Give the house a shard more; return its number. Raise what says why that cannot be."""
    if not settings.database_url:
        raise NotOnSQLite("a house on SQLite has one ledger; shards lie on a PostgreSQL, of TAPTRADE_DATABASE_URL")
    from runtime.postgresql import adding

    with naming(settings):
        return adding.add_shard(settings.database_url, clock, risk)


def open_reader(settings: Settings, shard: int = WHOLE) -> Database:
    """Open the ledger read-only; raise OperationalError if it cannot be reached."""
    if not settings.database_url:
        return sqlite.open_reader(settings.database)
    from runtime.postgresql.connection import PostgresDatabase

    return PostgresDatabase(settings.database_url, shard=shard)


def open_migrated(settings: Settings, shard: int = WHOLE) -> Database:
    """Open the ledger read-only; raise DatabaseUnsafe or WrongSchema if it cannot be read or is not ours."""
    if not settings.database_url:
        return sqlite_schema.open_migrated(settings.database, LEDGER_MIGRATIONS)
    from runtime.postgresql.connection import PostgresDatabase
    from runtime.postgresql.schema import require_all_migrated

    with naming(settings):
        require_all_migrated(settings.database_url)
        return PostgresDatabase(settings.database_url, shard=shard)


def open_writer(settings: Settings, shard: int = 1) -> Database:
    """Open a ledger as the one process that writes it; checkpoints are left to others.

    Raise LockHeld where another writer of it is at work on PostgreSQL, wherever that is.
    """
    if not settings.database_url:
        return sqlite.open_writer(settings.database, checkpoint_pages=0)
    from runtime.postgresql.connection import WRITING, PostgresDatabase

    try:
        return PostgresDatabase(
            settings.database_url, prepare=WRITING, lock=True, patience_s=WRITER_PATIENCE_S, shard=shard
        )
    except AnotherWrites as ex:
        raise LockHeld(f"another writer is at work on {name_of(settings)}") from ex


SIGN_EVERY_MS = 1_000
"""How often the writer on PostgreSQL asks for something, that spares see it live."""


def give_sign(database: Database) -> None:
    """Let whoever stands by on PostgreSQL see that the writer of a connection lives."""
    from runtime.postgresql.translation import OWN

    database.execute(OWN["sign_of_life"])


def await_vacancy(settings: Settings, shard: int, pause: Callable[[], object]) -> None:
    """Stand by until nobody is the writer of a shard; raise OperationalError where that cannot be asked."""
    from runtime.postgresql import spare

    spare.await_vacancy(settings.database_url, shard, pause)


def commit_type(settings: Settings) -> type[Commit]:
    """Return what writes commits as the engine takes them."""
    if not settings.database_url:
        return Commit
    from runtime.postgresql.commit import PostgresCommit

    return PostgresCommit


def read_pool(settings: Settings, clock: Clock, apply: Apply[Any] = directly, shard: int = WHOLE) -> ReadPool:
    """Return read-only connections to the ledger; `apply` says where it is read."""
    if not settings.database_url:
        return ReadPool(settings.database, clock, apply)
    from runtime.postgresql.read_pool import PostgresReadPool

    return PostgresReadPool(settings.database_url, clock, apply, shard)


def lacks(settings: Settings) -> list[str]:
    """Return the migrations that the ledger lacks; raise WrongSchema where it is not ours."""
    if not settings.database_url:
        return [one.name for one in sqlite_schema.missing_migrations(settings.database, LEDGER_MIGRATIONS)]
    from runtime.postgresql.schema import lacking_of

    with naming(settings):
        return [one.name for one in lacking_of(settings.database_url)]


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


def owner_of(execute: Execute, key: str) -> int | None:
    """Return the shard that a key belongs to, which signs or signs in; None if nobody has come with it yet.

    Of a house with several shards only: where there is one, everything is its own.
    """
    from runtime.postgresql.translation import OWN

    rows = execute(OWN["owner"], (key,))
    return int(rows[0][0]) if rows else None


def emptiest(execute: Execute, shards: int) -> int:
    """Return the shard with the fewest accounts: a new one takes the players to come, and nobody has to move."""
    from runtime.postgresql.translation import OWN

    return int(execute(OWN["emptiest"], (shards,))[0][0])


def faults_of_house(whole: Database) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit of what several shards have once: (table, row, sentence)."""
    from runtime.postgresql import house_check

    return house_check.faults_of_house(whole)


def faults_of_evidence(ledger: Database) -> Iterator[tuple[str, str, str]]:
    """Yield the columns of one of several shards that were decided otherwise than the house says."""
    from runtime.postgresql import house_check

    return house_check.faults_of_evidence(ledger)


def heads(whole: Database) -> list[tuple[int, str]] | None:
    """Return number and hash of the newest commit of each of several shards; None while one has made none."""
    from runtime.postgresql import house_check

    return house_check.heads(whole)


def house_of(database: Database) -> House | None:
    """Return what the writer of a connection shares with those of other shards; None where it is alone."""
    if getattr(database, "shards", None) in (None, 1):
        return None
    from runtime.postgresql.connection import PostgresDatabase
    from runtime.postgresql.house import House

    return House(database) if isinstance(database, PostgresDatabase) else None
