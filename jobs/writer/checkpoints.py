"""Checkpoints off the commit path: a thread with a connection of its own copies the log into the file."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from runtime.storage.database import PAGE_BYTES, Database, DatabaseError, open_writer

logger = logging.getLogger(__name__)

EVERY_S = 0.5
WAL_PAGES_LONG = 64 * 1024 * 1024 // PAGE_BYTES
TRIES = 3
"""Checkpoints in a row of a long log: each has only the commits to copy that were made during the one before."""
WAL_PAGES_MAX = 192 * 1024 * 1024 // PAGE_BYTES
"""So long that fewer than one commit in a hundred has to wait for the log's new start. In great tables the pages that
are left to copy lie far apart, and the disk writes them one by one: that takes tens of milliseconds."""


class Checkpointer:
    """Run passive checkpoints in the background; they never wait for the writer, nor the writer for them.

    The next commit starts the log anew if all of it has been copied by then, and waits for nothing. Under load a
    checkpoint rarely ends between two commits, so a long log gets several in a row. If it grows on, `wal_is_long` asks
    the writer to start it anew itself, right after a checkpoint, since the writer waits for what is left to copy.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.wal_is_long = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the checkpoint that is under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        database = open_writer(self._path, checkpoint_pages=0)
        try:
            while not self._stopping.wait(EVERY_S):
                try:
                    if _copy(database) > WAL_PAGES_MAX:
                        self.wal_is_long.set()
                except DatabaseError as ex:
                    logger.warning("checkpoint failed: %s", ex)
        finally:
            database.close()


def _copy(database: Database) -> int:
    """Copy what readers allow of the log into the file, a long one until it may start anew; return its length."""
    pages = 0
    for _ in range(TRIES):
        _, pages, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)")[0]
        if pages <= WAL_PAGES_LONG:
            break
    return int(pages)
