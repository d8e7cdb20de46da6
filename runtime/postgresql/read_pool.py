"""Read-only connections to the ledger on PostgreSQL, each query cut off by the server after as long as on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.clock import Clock
from runtime.postgresql.connection import READ_ONLY, PostgresDatabase
from runtime.storage.database import OperationalError, Row
from runtime.storage.read_pool import READ_MS_MAX, Apply, Limited, ReadPool, directly

PATIENCE_S = 2.0
"""How long a server may take that should have ended the query itself."""


class _Connection(Limited):
    """One connection; the server ends each statement in time, and what several take together is looked at between."""

    def __init__(self, url: str, clock: Clock, shard: int) -> None:
        super().__init__(clock)
        self.database: _InTime = _InTime(url, self, shard)

    def is_sound(self) -> bool:
        """Tell whether the server has ended the query, and the connection goes on.

        A fresh one costs the server a process that knows nothing yet. If each query that came late took its connection
        along, the next ones would be late for that, and once a crowd had made the server slow it would stay so.
        """
        return self.database.is_at_rest()


class _InTime(PostgresDatabase):
    def __init__(self, url: str, limited: Limited, shard: int) -> None:
        in_time = f"{READ_ONLY}; SET statement_timeout = {READ_MS_MAX}"
        super().__init__(url, prepare=in_time, patience_s=PATIENCE_S, shard=shard)
        self._limited = limited

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement, unless those before it took all the time."""
        if self._limited.is_late():
            raise OperationalError("the statements took too long together")
        return super().execute(sql, params)


class PostgresReadPool(ReadPool):
    """A few connections to one server, each used by one query at a time."""

    def __init__(self, url: str, clock: Clock, apply: Apply[Any] = directly, shard: int = 1) -> None:
        super().__init__(Path(), clock, apply)
        self._url = url
        self._shard = shard

    def _connect(self) -> Limited:
        return _Connection(self._url, self._clock, self._shard)
