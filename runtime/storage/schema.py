"""Which migrations made a database: those that are here and no others, or it is not ours to read or write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cysqlite import _cysqlite as cysqlite

from runtime.errors import TaptradeError

Execute = Callable[[str], Sequence[tuple[Any, ...]]]
RECORD_COLUMNS = {"name", "sha256", "applied_at"}


class WrongSchema(TaptradeError):
    """A database was made by other migrations than ours."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of statements; once applied, its text never changes."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash that is recorded with it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def asks_for_new_file(self) -> bool:
        """Tell whether rows that are there must be copied into a new file, which has this schema from the start."""
        return self.text.startswith("-- Made in a new file:")


def migrations_in(folder: Path) -> list[Migration]:
    """Return the migrations of a folder in their order; raise WrongSchema if there are none."""
    found = [Migration(file.name, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.sql"))]
    if not found:
        # What is built without them would leave a database without tables.
        raise WrongSchema(f"there are no migrations in {folder}")
    return found


def lacking(execute: Execute, path: Path, known: Sequence[Migration]) -> list[Migration]:
    """Return those of the known migrations that a database lacks.

    Raise WrongSchema where its tables were made by something else, or by another version of ours.
    """
    columns = {name for (name,) in execute("SELECT name FROM pragma_table_info('schema_migrations')")}
    if not columns >= RECORD_COLUMNS:
        if execute("SELECT name FROM sqlite_schema LIMIT 1"):
            raise WrongSchema(f"{path} is the database of something else: its tables are not from our migrations")
        return list(known)
    applied: dict[str, str] = dict(execute("SELECT name, sha256 FROM schema_migrations"))
    refuse_other_migrations(path, known, applied)
    return [each for each in known if each.name not in applied]


def refuse_other_migrations(where: object, known: Sequence[Migration], applied: Mapping[str, str]) -> None:
    """Raise WrongSchema if a database was made by other migrations than the known ones, or other versions of them."""
    for each in known:
        if applied.get(each.name, each.sha256) != each.sha256:
            raise WrongSchema(f"{where} was made by another {each.name} than ours, or that was changed since")
    unknown = applied.keys() - {each.name for each in known}
    if unknown:
        raise WrongSchema(
            f"{where} has the migration {min(unknown)}, which this version does not know: run the newer version that"
            " applied it, or restore a backup from before"
        )


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements; a trigger's body stays whole."""
    collected = ""
    for line in script.splitlines(keepends=True):
        collected += line
        if ";" in line and cysqlite.complete_statement(collected):
            yield collected.strip()
            collected = ""
    if collected.strip() and any(not line.lstrip().startswith("--") for line in collected.splitlines() if line.strip()):
        raise WrongSchema(f"unfinished statement: {collected.strip()[:80]}")
