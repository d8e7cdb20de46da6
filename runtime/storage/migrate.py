"""A database and its schema: the migrations that it lacks are applied, or it is made anew where one asks for that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from runtime.clock import Clock
from runtime.storage import remake
from runtime.storage.database import (
    Database,
    DatabaseError,
    DatabaseUnsafe,
    OperationalError,
    naming,
    open_reader,
    open_writer,
)
from runtime.storage.remake import Progress
from runtime.storage.schema import Migration, WrongSchema, lacking, migrations_in, statements

logger = logging.getLogger(__name__)

Check = Callable[[Database], None]
"""Raises NotRemade for a new file that is not what the old one was."""


def _silently(_what: str, _done: int, _count: int) -> None:
    """Tell nobody."""


def open_migrated(path: Path, folder: Path) -> Database:
    """Open a database of ours read-only.

    Raise DatabaseUnsafe if it is missing or cannot be read, WrongSchema if it is not what the migrations in `folder`
    make.
    """
    lacks = missing_migrations(path, folder)
    with naming(path):
        if not path.exists():
            raise DatabaseUnsafe(f"there is no database at {path}; start one with `taptrade up`")
        if lacks:
            raise WrongSchema(f"{path} lacks the migration {lacks[0].name}; `taptrade migrate` applies it")
        return open_reader(path)


def migrate(
    path: Path, folder: Path, clock: Clock, progress: Progress = _silently, check: Check | None = None
) -> list[str]:
    """Apply the migrations in `folder` that `path` lacks, each with its record in one transaction; return their names.

    Where one asks for a new file, `progress` hears how far that is, and `check` looks at it before it counts. A
    database that cannot be read or that is not ours is left as it is: DatabaseUnsafe or WrongSchema says why.
    """
    lacks = missing_migrations(path, folder)
    if not lacks:
        return []
    known = migrations_in(folder)
    with naming(path):
        if lacks == known:
            _apply_all(path, lacks, clock)
        else:
            for number, each in enumerate(lacks, len(known) - len(lacks) + 1):
                if each.asks_for_new_file:
                    _remake(path, known, number, clock, progress, check)
                    break
                _apply_all(path, [each], clock)
    return [each.name for each in lacks]


def missing_migrations(path: Path, folder: Path) -> list[Migration]:
    """Return the migrations that a database lacks, all of them where there is none; raise as `migrate` does."""
    known = migrations_in(folder)
    with naming(path):
        if not path.exists():
            return known
        with path.open("rb") as file:
            empty = not file.read(1)
        if empty:
            # The library would take it for a new database, and what was lost would not be missed.
            raise DatabaseUnsafe(f"{path} is an empty file: restore a backup, or remove it to begin anew")
        reader = open_reader(path)
        try:
            return lacking(reader.execute, path, known)
        finally:
            reader.close()


def _apply_all(path: Path, migrations: Sequence[Migration], clock: Clock) -> None:
    database = open_writer(path)
    try:
        database.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT"
        )
        for each in migrations:
            _apply(database, each, clock.now_ms())
    finally:
        database.close()


def _remake(
    path: Path, known: Sequence[Migration], number: int, clock: Clock, progress: Progress, check: Check | None
) -> None:
    """Copy a database into a new file that the first migrations make, apply the others, and let it take the place.

    What checks the new file knows the newest schema only.
    """
    migrations = known[:number]
    made = remake.new_file_of(path)
    try:
        with alone(path) as old:
            of = remake.origin(old)
            if not _is_begun(made, of):
                remake.remove(made)
                remake.require_space(path)
                _apply_all(made, migrations, clock)
                with closing(open_writer(made)) as new:
                    remake.begin(new, of)
            with closing(open_writer(made)) as new:
                remake.copy(old, new, progress)
            with closing(open_reader(made)) as new:
                rest = lacking(new.execute, made, known)
            _apply_all(made, rest, clock)
            if check is not None:
                with closing(open_reader(made)) as new:
                    check(new)
            with closing(open_writer(made)) as new:
                remake.finish(new)
            remake.replace(path)
    except remake.NotRemade as ex:
        remake.remove(made)
        raise DatabaseUnsafe(f"{path} stays as it is, and is not of the newest schema: {ex}") from ex
    logger.info("%s was made anew by %s", path.name, migrations[-1].name)


def _is_begun(made: Path, of: tuple[int, str]) -> bool:
    """Tell whether a killed run has left a new file that this one can go on with."""
    try:
        with closing(open_reader(made)) as new:
            return remake.is_begun(new, of)
    except DatabaseError:
        return False


@contextmanager
def alone(path: Path) -> Iterator[Database]:
    """Open a database that nobody else has open, and let nobody write it; it has no log beside it then."""
    with closing(open_writer(path)) as database:
        try:
            database.execute("PRAGMA journal_mode = delete")
        except OperationalError as ex:
            raise DatabaseUnsafe(f"{path} is in use: stop all that uses it, then migrate") from ex
        with database.transaction():
            yield database


def _apply(database: Database, migration: Migration, now_ms: int) -> None:
    with database.transaction():
        for statement in statements(migration.text):
            database.execute(statement)
        database.execute("INSERT INTO schema_migrations VALUES (?, ?, ?)", (migration.name, migration.sha256, now_ms))
    logger.info("applied migration %s", migration.name)
