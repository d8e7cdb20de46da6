"""The schema of a ledger on PostgreSQL: what it lacks is applied, and what is not ours is not touched."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing

from runtime.clock import Clock
from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.guards import MIGRATIONS
from runtime.postgresql.translation import OWN
from runtime.storage.schema import Migration, WrongSchema, migrations_in, refuse_other_migrations

logger = logging.getLogger(__name__)

WHERE = "the database of TAPTRADE_DATABASE_URL"


def lacking(database: PostgresDatabase) -> list[Migration]:
    """Return the migrations that a database lacks; raise WrongSchema where it was made by something else."""
    known = migrations_in(MIGRATIONS)
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


def migrate(url: str, clock: Clock, *, is_moving: bool = False) -> list[str]:
    """Apply what a database lacks, each with its record in one transaction; return the names.

    Raise WrongSchema where a house is on its way here, unless that is who asks.
    """
    with closing(PostgresDatabase(url, prepare="")) as database:
        lacks = lacking(database)
        if not is_moving:
            _refuse_half_moved(database)
        for each in lacks:
            _apply(database, each, clock.now_ms())
    return [each.name for each in lacks]


def _apply(database: PostgresDatabase, migration: Migration, now_ms: int) -> None:
    with database.transaction():
        database.execute(OWN["make_record"])
        database.run_script(migration.text)
        database.execute(OWN["record_migration"], (migration.name, migration.sha256, now_ms))
    logger.info("applied migration %s", migration.name)


def require_migrated(database: PostgresDatabase) -> None:
    """Raise WrongSchema if a database is not what our migrations make."""
    lacks: Sequence[Migration] = lacking(database)
    if lacks:
        raise WrongSchema(f"{WHERE} lacks the migration {lacks[0].name}; `taptrade migrate` applies it")
    _refuse_half_moved(database)


def _refuse_half_moved(database: PostgresDatabase) -> None:
    if is_moving(database):
        raise WrongSchema(f"a house is on its way into {WHERE}; `taptrade migrate --from` goes on with it")
