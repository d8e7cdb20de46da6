"""The triggers that keep the ledger's rows, by what the migrations say: the audit looks whether they are at work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from runtime.postgresql.pages import broken_pages
from runtime.postgresql.translation import OWN
from runtime.storage.connection import Database

MIGRATIONS = Path(__file__).parent / "migrations"
_MADE = re.compile(r"^CREATE TRIGGER (\w+)", re.MULTILINE)
_DROPPED = re.compile(r"^DROP TRIGGER (\w+)", re.MULTILINE)


@cache
def expected_guards() -> frozenset[str]:
    """Return the names of the triggers that a database must have."""
    found: set[str] = set()
    for file in sorted(MIGRATIONS.glob("*.sql")):
        text = file.read_text(encoding="utf-8")
        found -= set(_DROPPED.findall(text))
        found |= set(_MADE.findall(text))
    return frozenset(found)


def faults(database: Database) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong beneath the rows: foreign keys that lead nowhere, guards that are off, broken pages."""
    for table, row_id, parent in database.iterate(OWN["pointing_nowhere"]):
        yield table, row_id, f"it points at a row of {parent} that is not there"
    found = {name: (table, is_on) for name, table, is_on in database.execute(OWN["guards"])}
    for name in sorted(expected_guards()):
        table, is_on = found.get(name, ("database", False))
        if not is_on:
            yield table, name, "the trigger that keeps its rows is off or gone"
    for table, index in database.execute(OWN["broken_indexes"]):
        yield table, index, "the index is not valid"
    yield from broken_pages(database)
