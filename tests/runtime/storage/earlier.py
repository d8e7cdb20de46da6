"""A database of an earlier version, with all that a present one holds."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from runtime.clock import Clock
from runtime.storage.database import LEDGER_MIGRATIONS, Row, open_reader, open_writer
from runtime.storage.migrate import migrate


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
