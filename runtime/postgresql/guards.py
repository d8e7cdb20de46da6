"""The triggers that keep the ledger's rows, by what the migrations say: the audit looks whether they are at work."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

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
