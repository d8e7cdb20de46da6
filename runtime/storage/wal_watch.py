"""How long a write-ahead log is, and who keeps it from starting anew: measured, and said where it is too long."""

from __future__ import annotations

import logging
from pathlib import Path

from runtime.clock import Clock, rfc3339
from runtime.metrics.table import Metrics
from runtime.process_lock import name_of, started_ms
from runtime.storage.database import WAL_BYTES_MAX
from runtime.storage.wal_index import WalIndex

logger = logging.getLogger(__name__)

SAID_EVERY_MS = 60_000
UNHELD_MS = 10_000
"""How long a log may be too long without a holder, as it is until what a holder left has been copied."""
UNSEEN = "a process that cannot be seen from here, in another container or outside of this one"


class WalWatch:
    """Watch one database's log from a process that has the database open."""

    def __init__(self, database: Path, metrics: Metrics, clock: Clock) -> None:
        self._database = database
        self._metrics = metrics
        self._clock = clock
        self._index: WalIndex | None = None
        self._since_ms: dict[int, int] = {}
        """Who holds the log, and since when that is known."""
        self._too_long_since_ms: int | None = None
        self._said: tuple[int, set[int]] | None = None
        self._measure()

    def wal_bytes(self) -> int:
        """Return what the log takes of the disk."""
        try:
            return self._database.with_name(f"{self._database.name}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def is_too_long(self) -> bool:
        """Tell whether the log is longer than it should ever be."""
        return self.wal_bytes() > WAL_BYTES_MAX

    def look(self, *, held: bool) -> None:
        """Measure the log; `held` says that readers keep it from being copied."""
        holders = self._holders() if held else []
        now_ms = self._clock.now_ms()
        self._since_ms = {pid: self._since_ms.get(pid, now_ms) for pid in holders}
        self._measure()
        if self.is_too_long():
            if self._too_long_since_ms is None:
                self._too_long_since_ms = now_ms
            if self._since_ms or now_ms - self._too_long_since_ms >= UNHELD_MS:
                self._say(now_ms)
            return
        if self._said is not None:
            logger.info("the write-ahead log of %s is %s long again", self._database.name, self._megabytes())
        self._said = self._too_long_since_ms = None

    def _holders(self) -> list[int]:
        try:
            self._index = self._index or WalIndex(self._database)
            return self._index.holders()
        except OSError as ex:
            logger.warning("cannot look who holds the write-ahead log of %s: %s", self._database.name, ex)
            return []

    def _measure(self) -> None:
        name, now_ms = self._database.name, self._clock.now_ms()
        self._metrics.set("taptrade_wal_bytes", self.wal_bytes(), name)
        held: dict[tuple[str, ...], float] = {
            (name, _name(pid)): (now_ms - since_ms) / 1000 for pid, since_ms in self._since_ms.items()
        }
        self._metrics.replace("taptrade_wal_held_seconds", held or {(name, ""): 0})

    def _say(self, now_ms: int) -> None:
        holders = set(self._since_ms)
        if self._said is not None and self._said[1] == holders and now_ms - self._said[0] < SAID_EVERY_MS:
            return
        self._said = now_ms, holders
        readers = [_told(pid, since_ms) for pid, since_ms in self._since_ms.items()]
        logger.warning(
            "the write-ahead log of %s is %s long, %s",
            self._database.name,
            self._megabytes(),
            f"held by {', '.join(readers)}" if readers else "and no reader holds it: the disk is too slow to copy it",
            extra={"fields": {"code": "WAL_HELD", "wal_bytes": self.wal_bytes(), "holders": sorted(holders)}},
        )

    def _megabytes(self) -> str:
        return f"{self.wal_bytes() / 1024**2:.0f} MB"


def _name(pid: int) -> str:
    return name_of(pid) if pid else UNSEEN


def _told(pid: int, since_ms: int) -> str:
    began_ms = started_ms(pid) if pid else None
    started = f", started {rfc3339(began_ms)}" if began_ms else ""
    return f"{_name(pid)}{started}, seen to read since {rfc3339(since_ms)}"
