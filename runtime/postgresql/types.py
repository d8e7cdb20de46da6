"""How values come and go: whole numbers as such whatever PostgreSQL makes of them, sealed texts opened on arrival."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.numeric import Int8Dumper

from runtime.personal.seal import opened


class TruthDumper(Int8Dumper):
    """Truth as a number, as SQLite's tables hold it."""

    def dump(self, obj: Any) -> Buffer:
        """Return 0 or 1."""
        return b"1" if obj else b"0"


class WholeLoader(Loader):
    """Sums of whole numbers, which PostgreSQL returns as decimals."""

    def load(self, data: Buffer) -> int:
        """Return the number; raise ValueError for one that is not whole."""
        return int(bytes(data))


_KNOWN: dict[tuple[int | str, ...], CompositeInfo] = {}
"""psycopg keeps two classes for ever for each description that it is given, also of a type that it knows."""


def register(context: AdaptContext) -> None:
    """Let a connection take and give values as SQLite's do."""
    adapters: AdaptersMap = context.adapters
    # One type for all whole numbers: a statement is prepared once, not once for each length of its parameters.
    adapters.register_dumper(int, Int8Dumper)
    adapters.register_dumper(bool, TruthDumper)
    adapters.register_loader("numeric", WholeLoader)


def register_sealed(connection: Connection[Any]) -> None:
    """Let a connection open what comes sealed, where the database has come so far."""
    info = CompositeInfo.fetch(connection, "sealed_text")
    if info is not None:
        known = _KNOWN.setdefault((info.oid, *info.field_names, *info.field_types), info)
        register_composite(known, connection, opened)
