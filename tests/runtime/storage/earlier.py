"""A database of an earlier version, with all that a present one holds."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from jobs.writer.seals import Seals
from runtime.clock import Clock
from runtime.personal.seal import KEY_BYTES, Seal
from runtime.storage.database import LEDGER_MIGRATIONS, Row, open_reader, open_writer
from runtime.storage.migrate import migrate
from tests.jobs.writer_desk import Desk


class Unsealed(Seal):
    """Writes everything as it is, as was done before there were keys."""

    def __init__(self) -> None:
        super().__init__(bytes(KEY_BYTES))

    def close(self, text: str, whereof: str) -> str:  # noqa: ARG002  one of Seal's
        """Return the text."""
        return text


class NoSeals(Seals):
    """Nobody has a key."""

    def of(self, user_id: str) -> Seal | None:  # noqa: ARG002  one of Seals'
        """Return what seals nothing."""
        return Unsealed()


def write_plainly(desk: Desk) -> Desk:
    """Let the desk's writer, until the next is hired, write rows as they were written before there were keys."""
    desk.writer.book.seals = NoSeals(desk.database, bytes)
    return desk


def earlier(folder: Path, migrations: Sequence[str], present: Path, clock: Clock) -> Path:
    """Make `old.db` in a folder by these migrations alone, and copy into it what its tables have room for."""
    (folder / "migrations").mkdir()
    for name in migrations:
        shutil.copy(LEDGER_MIGRATIONS / name, folder / "migrations" / name)
    migrate(folder / "old.db", folder / "migrations", clock)
    database = open_writer(folder / "old.db")
    database.execute("ATTACH ? AS new", (str(present),))
    with database.transaction():
        database.execute("PRAGMA defer_foreign_keys = 1")
        for (table,) in database.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'"):
            names = ", ".join(row[0] for row in database.execute("SELECT name FROM pragma_table_info(?)", (table,)))
            if table != "schema_migrations":
                database.execute(f"INSERT OR REPLACE INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
    database.execute("DETACH new")
    database.close()
    return folder / "old.db"


def everything(path: Path, sql: str) -> list[Row]:
    """Return what a query finds in a database that nobody has open."""
    with closing(open_reader(path)) as reader:
        return reader.execute(sql)
