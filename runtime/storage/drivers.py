"""Peewee with SQLite's driver alone: it imports every other one that is installed, and psycopg takes 15 MB."""

from __future__ import annotations

import sys

_absent = "psycopg" not in sys.modules
if _absent:
    sys.modules["psycopg"] = None  # type: ignore[assignment]  # what import takes for a package that is not there

import peewee  # noqa: E402
from playhouse.cysqlite_ext import CySqliteDatabase  # noqa: E402

if _absent:
    del sys.modules["psycopg"]

translated = peewee.__exception_wrapper__  # type: ignore[attr-defined]
"""A block in which the driver's errors become Peewee's."""

__all__ = ["CySqliteDatabase", "peewee", "translated"]
