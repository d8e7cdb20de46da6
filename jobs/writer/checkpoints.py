"""Checkpoints off the commit path: a thread with a connection of its own copies the log into the file."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from runtime.db import PAGE_BYTES, DatabaseError, open_writer

logger = logging.getLogger(__name__)

EVERY_S = 0.5
LOG_PAGES_MAX = 64 * 1024 * 1024 // PAGE_BYTES


class Checkpointer:
    """Run passive checkpoints in the background; they never wait for the writer, nor the writer for them.

    A passive checkpoint cannot start the log anew while commits go on. `log_is_long` asks the writer to do that itself.
    It is set right after a checkpoint, since the writer waits for what the thread has not copied by then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.log_is_long = threading.Event()
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
                    _, pages, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)")[0]
                    if pages > LOG_PAGES_MAX:
                        self.log_is_long.set()
                except DatabaseError as ex:
                    logger.warning("checkpoint failed: %s", ex)
        finally:
            database.close()
