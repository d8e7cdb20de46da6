"""Checkpoints off the commit path: a thread with a connection of its own copies the write-ahead log into the file."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from runtime.background import Background
from runtime.clock import Clock
from runtime.metrics.table import Metrics
from runtime.storage.database import PAGE_BYTES, DatabaseError, SqliteDatabase, open_writer
from runtime.storage.wal_watch import WalWatch

logger = logging.getLogger(__name__)

EVERY_S = 0.05
PAGES_PER_S = 80 * 1024 * 1024 // PAGE_BYTES
"""Twice as fast as the WAL grows at 4,000 bets a second. The next look is when it could be due at that pace, and at the
soonest EVERY_S from now: each look wakes a CPU, also where nothing was committed."""
PAGES_DUE = 24 * 1024 * 1024 // PAGE_BYTES
"""How long the WAL grows before it is copied: a page that many commits change is copied once for all of them. What is
committed until it starts anew comes on top, and all of it has to stay below WAL_BYTES_MAX."""
SHIPPED_BYTES_MAX = 256 * 1024 * 1024
"""The bound where a replica takes the log. What ships it also copies it, and would read the whole database again if it
was begun anew or cut by somebody else; so that is done only where nothing ships it any more."""
PASSES = 2
"""Copies that commits do not wait for, before the one that they wait for: each has only the pages to copy that were
committed during the one before."""
WAIT_MS = 100
"""How long the new start waits for queries, which take 50 ms at most; commits wait with it."""
PAUSE_S_MAX = 5.0


class Checkpointer:
    """Copy the WAL in the background, and start it anew before it is longer than WAL_BYTES_MAX.

    Commits wait at the end only, some milliseconds, while the pages of the last few are copied. A reader that stays
    long is not waited for; all that can be done is to say who it is.
    """

    def __init__(
        self, writer: SqliteDatabase, path: Path, metrics: Metrics, clock: Clock, *, is_shipped: bool = False
    ) -> None:
        """`writer` is the connection that commits to `path`; `is_shipped` says that a replica takes its log."""
        self._writer = writer
        self._path = path
        self._is_shipped = is_shipped
        if is_shipped:
            writer.execute(f"PRAGMA journal_size_limit = {SHIPPED_BYTES_MAX}")
        self._watch = WalWatch(path, metrics, clock)
        self._stopping = threading.Event()
        self._failing = False
        self._cuts = False
        self._pages = 0
        """How long the log was at the last look."""
        self._stuck_at: int | None = None
        """Up to which page the last try copied, if it was in vain."""

    def start(self, background: Background) -> None:
        """Run in the background."""
        background.start("checkpoints", self.run)

    def stop(self) -> None:
        """Let `run` end after the checkpoint that is under way."""
        self._stopping.set()

    def cut(self) -> None:
        """Leave nothing in the log of what is committed by now, as soon as no reader needs it.

        What ships the log keeps a read of its own: it would be in the way for as long as it runs.
        """
        self._cuts = not self._is_shipped

    def run(self) -> None:
        """Look after the WAL until stopped."""
        database = open_writer(self._path, checkpoint_pages=0)
        database.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
        pause_s = EVERY_S
        try:
            while not self._stopping.wait(pause_s):
                held = self._try(database)
                # A try costs the more the longer the WAL is, and it grows as long as tries are in vain.
                pause_s = min(pause_s * 2, PAUSE_S_MAX) if held or self._failing else self.pause_s()
                self._watch.look(held=held)
        finally:
            database.close()

    def pause_s(self) -> float:
        """Return for how long nothing can be due."""
        return max(EVERY_S, (PAGES_DUE - self._pages) / PAGES_PER_S)

    def _try(self, database: SqliteDatabase) -> bool:
        try:
            held = self.look(database)
        except DatabaseError as ex:
            if not self._failing:
                logger.warning("checkpoint failed: %s", ex)
            self._failing = True
            return False
        self._failing = False
        return held

    def look(self, database: SqliteDatabase) -> bool:
        """Copy the WAL and start it anew if that is due; return whether a reader is in the way that stays long."""
        if self._cuts:
            return self._cut(database)
        if self._is_shipped and self._watch.wal_bytes() <= SHIPPED_BYTES_MAX:
            return False
        seen, is_too_long = database.checkpoint("NOOP"), self._watch.is_too_long()
        # One that is copied to its end is started anew by the next commit.
        self._pages = 0 if seen.copied == seen.pages else seen.pages
        if not is_too_long and (seen.pages < PAGES_DUE or seen.copied == seen.pages):
            self._stuck_at = None
            return False
        for _ in range(PASSES):
            seen = database.checkpoint("PASSIVE")
        if seen.copied == self._stuck_at:
            return True
        # Of many short queries one may always be behind. They end while commits wait; a long one is known next time.
        with self._writer.between_commits:
            done = database.checkpoint("TRUNCATE" if is_too_long else "RESTART")
        self._stuck_at = done.copied if done.busy else None
        return False

    def _cut(self, database: SqliteDatabase) -> bool:
        for _ in range(PASSES):
            database.checkpoint("PASSIVE")
        with self._writer.between_commits:
            self._cuts = database.checkpoint("TRUNCATE").busy
        return self._cuts
