"""The ticks of a fill delay, read from the feed's store where bets wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from runtime.game.ticks import Tick
from runtime.storage import ticks_store
from runtime.storage.database import Database, DatabaseError, DatabaseUnsafe, open_reader

logger = logging.getLogger(__name__)

LOOKS, LOOK_S = 20, 0.01


class WaitTicks:
    """Read the ticks between receipt and fill; opened with the first bet that waited."""

    def __init__(self, path: Path, *, follows: bool = False) -> None:
        """`follows`: the feed at work may be another machine's, whose ticks reach the store a moment later."""
        self._path = path
        self._follows = follows
        self._reader: Database | None = None
        self._read: tuple[int, int, Sequence[Tick]] = (0, 0, ())

    def __call__(self, from_ms: int, to_ms: int) -> Sequence[Tick] | None:
        """Return the ticks with from <= id < to, oldest first; None, with a line in the log, if they cannot be read."""
        first_ms, last_ms, read = self._read
        if not (first_ms <= from_ms and to_ms == last_ms):
            try:
                read = self._ticks(from_ms, to_ms)
            except (DatabaseError, DatabaseUnsafe):
                logger.exception("cannot read the ticks of a wait")
                return None
            # The bets of a commit are filled on one tick, and waited about as long as one another.
            self._read = (from_ms, to_ms, read)
        return [tick for tick in read if tick.id >= from_ms]

    def _ticks(self, from_ms: int, to_ms: int) -> Sequence[Tick]:
        if self._reader is None:
            self._reader = open_reader(self._path)
        if self._follows:
            self._await(self._reader, to_ms)
        return ticks_store.of_wait(self._reader, from_ms, to_ms)

    @staticmethod
    def _await(reader: Database, tick_ms: int) -> None:
        """Wait a moment for a tick that was heard: with it, all before it are stored."""
        for _ in range(LOOKS):
            if ticks_store.of_wait(reader, tick_ms, tick_ms + 1):
                return
            time.sleep(LOOK_S)
        raise DatabaseUnsafe(f"tick {tick_ms} was published and is not stored on this machine")

    def close(self) -> None:
        """Close the store if it was opened."""
        if self._reader is not None:
            self._reader.close()
