"""The system seen from its stores: commits and bets in the database, memory of Redis, length of the log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bench.system import System
from runtime.messaging.connection import connect
from runtime.messaging.redis_keys import BACKLOG_BETS
from runtime.storage.database import open_reader

WITHIN = """
SELECT count(*), count(first_bet_seq), coalesce(sum(last_bet_seq - first_bet_seq + 1), 0)
FROM commits WHERE number > ? AND number <= ?
"""
SETTLED = "SELECT count(*) FROM bets WHERE resolved_commit > ? AND resolved_commit <= ?"
OPEN = "SELECT EXISTS (SELECT 1 FROM bets WHERE status = 'confirmed' AND refusal_code IS NULL)"
NEWEST = "SELECT coalesce(max(number), 0) FROM commits"


@dataclass(frozen=True, slots=True)
class Commits:
    """What was committed between two looks."""

    commits: int
    with_bets: int
    bets: int
    settled: int


class Vitals:
    """Looks at one system's stores; reads only."""

    def __init__(self, running: System) -> None:
        self._database = open_reader(running.settings.database)
        self._redis = connect(running.redis_url)
        self._file = running.settings.database
        self._wal = Path(f"{running.settings.database}-wal")

    def close(self) -> None:
        """Close both connections."""
        self._database.close()
        self._redis.close()

    def newest_commit(self) -> int:
        """Return the number of the newest commit."""
        return int(self._database.execute(NEWEST)[0][0])

    def between(self, first: int, last: int) -> Commits:
        """Count what the commits after `first` up to `last` did."""
        commits, with_bets, bets = self._database.execute(WITHIN, (first, last))[0]
        settled = self._database.execute(SETTLED, (first, last))[0][0]
        return Commits(commits, with_bets, bets, settled)

    def bets_are_open(self) -> bool:
        """Tell whether any bet is not settled yet."""
        return bool(self._database.execute(OPEN)[0][0])

    def sqlite_version(self) -> str:
        """Return the version of the SQLite that the system is linked with."""
        return str(self._database.execute("SELECT sqlite_version()")[0][0])

    def redis_bytes(self) -> int:
        """Return how much memory Redis uses."""
        memory: Any = self._redis.info("memory")
        return int(memory["used_memory"])

    def backlog_bets(self) -> int:
        """Return how many bets wait for the writer."""
        waiting: Any = self._redis.get(BACKLOG_BETS)
        return int(waiting or 0)

    def database_bytes(self) -> int:
        """Return the length of the live database."""
        return self._file.stat().st_size

    def wal_bytes(self) -> int:
        """Return the length of the write-ahead log."""
        return self._wal.stat().st_size if self._wal.exists() else 0
