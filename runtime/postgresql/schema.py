"""The schema of a ledger on PostgreSQL: what it lacks is applied, and what is not ours is not touched."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from runtime.clock import Clock
from runtime.game.player_entries import Execute
from runtime.game.statements import fill, read_statements
from runtime.postgresql.arrays import texts
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.guards import MIGRATIONS
from runtime.postgresql.session import WHOLE, schema_of
from runtime.postgresql.translation import OWN
from runtime.storage.schema import Migration, WrongSchema, migrations_in, refuse_other_migrations

logger = logging.getLogger(__name__)

WHERE = "the database of TAPTRADE_DATABASE_URL"
ADDING = read_statements("runtime.postgresql", "adding.sql")
HOUSE_SCHEMA = "taptrade_house"
HOUSE_MIGRATIONS = Path(__file__).parent / "migrations_house"
"""What a house of several shards has once; each shard is a ledger of its own."""


def shards_of(url: str) -> int:
    """Return how many shards a house has; the database says so."""
    with closing(PostgresDatabase(url)) as database:
        return shards_by(database.execute)


def shards_by(execute: Execute) -> int:
    """Return the same, asked on a connection that is there."""
    return int(execute(OWN["shards"], ())[0][0])


def lacking(database: PostgresDatabase, folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the migrations that a schema lacks; raise WrongSchema where it was made by something else."""
    known = migrations_in(folder)
    ((has_record, has_tables),) = database.execute(OWN["has_record"])
    if not has_record:
        if has_tables:
            raise WrongSchema(f"{WHERE} has tables that are not from our migrations; give the house one of its own")
        return known
    applied: dict[str, str] = dict(database.execute(OWN["applied"]))
    refuse_other_migrations(WHERE, known, applied)
    return [each for each in known if each.name not in applied]


def is_moving(database: PostgresDatabase) -> bool:
    """Tell whether a house is on its way here from SQLite's file."""
    return bool(database.execute(OWN["is_moving"])[0][0])


def lacking_of(url: str) -> list[Migration]:
    """Return the migrations that any shard lacks, or what is there once for all of them."""
    lacks: dict[str, Migration] = {}
    shards = shards_of(url)
    for shard in range(1, shards + 1):
        with closing(PostgresDatabase(url, shard=shard)) as database:
            lacks |= {each.name: each for each in lacking(database)}
    if shards > 1:
        with closing(PostgresDatabase(url, shard=WHOLE)) as database:
            lacks |= {each.name: each for each in lacking(database, HOUSE_MIGRATIONS)}
    return [lacks[name] for name in sorted(lacks)]


def migrate(url: str, clock: Clock, *, is_moving: bool = False) -> list[str]:
    """Apply what a house lacks; return the names. Raise WrongSchema where it is on its way here, unless its mover asks.

    A house of one ledger gets each with its record in one transaction, one of several all of them.
    """
    with ExitStack() as stack:
        database = stack.enter_context(closing(PostgresDatabase(url, prepare="")))
        lacks = lacking(database)
        if not is_moving:
            _refuse_half_moved(database)
        shards = shards_by(database.execute)
        if shards == 1:
            for each in lacks:
                with database.transaction():
                    _apply(database, each, clock.now_ms())
            return [each.name for each in lacks]
        lacks = lacking_of(url)
        if lacks:
            _migrate_shards(database, shards, clock)
        return [each.name for each in lacks]


def _migrate_shards(database: PostgresDatabase, shards: int, clock: Clock) -> None:
    ((first,),) = database.execute(ADDING["first_schema"])
    with database.transaction():
        database.execute(ADDING["drop_views"])
        for shard in range(1, shards + 1):
            enter(database, first if shard == 1 else schema_of(shard))
            apply_all(database, MIGRATIONS, clock)
        enter(database, HOUSE_SCHEMA)
        apply_all(database, HOUSE_MIGRATIONS, clock)
        show_all(database, first, shards)


def enter(database: PostgresDatabase, name: str) -> None:
    """Make what follows in a schema, until the transaction ends."""
    database.execute(fill(ADDING["enter"], schema=name))


def apply_all(database: PostgresDatabase, folder: Path, clock: Clock) -> None:
    """Apply what the schema lacks that a transaction is in."""
    for each in lacking(database, folder):
        _apply(database, each, clock.now_ms())


def show_all(database: PostgresDatabase, first: str, shards: int) -> None:
    """Show all shards as one ledger, to whoever reads about the whole house."""
    names = [first, *(schema_of(shard) for shard in range(2, shards + 1))]
    database.execute(ADDING["make_views"], (texts(names),))


def _apply(database: PostgresDatabase, migration: Migration, now_ms: int) -> None:
    database.execute(OWN["make_record"])
    database.run_script(migration.text)
    database.execute(OWN["record_migration"], (migration.name, migration.sha256, now_ms))
    logger.info("applied migration %s", migration.name)


def require_all_migrated(url: str) -> None:
    """Raise WrongSchema if any ledger of a house is not what our migrations make."""
    with closing(PostgresDatabase(url)) as database:
        if shards_by(database.execute) == 1:
            require_migrated(database)
            return
    for lacks in lacking_of(url)[:1]:
        raise WrongSchema(f"{WHERE} lacks the migration {lacks.name} in some shard; `taptrade migrate` applies it")


def require_migrated(database: PostgresDatabase) -> None:
    """Raise WrongSchema if a database is not what our migrations make."""
    lacks: Sequence[Migration] = lacking(database)
    if lacks:
        raise WrongSchema(f"{WHERE} lacks the migration {lacks[0].name}; `taptrade migrate` applies it")
    _refuse_half_moved(database)


def _refuse_half_moved(database: PostgresDatabase) -> None:
    if is_moving(database):
        raise WrongSchema(f"a house is on its way into {WHERE}; `taptrade migrate --from` goes on with it")
