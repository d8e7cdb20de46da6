"""Checkpoints off the commit path: a thread with a connection of its own copies the log into the file."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from runtime.db import DatabaseError, open_writer

logger = logging.getLogger(__name__)

EVERY_S = 0.5
LOG_BYTES_MAX = 64 * 1024 * 1024


class Checkpointer:
    """Run passive checkpoints in the background; they never wait for the writer, nor the writer for them.

    A passive checkpoint cannot start the log anew while commits go on. `log_is_long` tells the writer when to do that
    itself, which is quick, since the thread has copied nearly all of it by then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the checkpoint that is under way."""
        self._stopping.set()
        self._thread.join()

    def log_is_long(self) -> bool:
        """Tell whether the log should start anew."""
        try:
            return self._log.stat().st_size > LOG_BYTES_MAX
        except FileNotFoundError:
            return False

    def _run(self) -> None:
        database = open_writer(self._path, checkpoint_pages=0)
        try:
            while not self._stopping.wait(EVERY_S):
                try:
                    database.execute("PRAGMA wal_checkpoint(PASSIVE)")
                except DatabaseError as ex:
                    logger.warning("checkpoint failed: %s", ex)
        finally:
            database.close()
