"""A feed that stands by on another machine stores the ticks that it hears, so that it can go on from them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from runtime.background import Stopping
from runtime.game.ticks import Tick
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.redis_keys import BUS_PUBLIC
from runtime.messaging.redis_values import decode_tick
from runtime.messaging.seat import Seat
from runtime.storage import ticks_store
from runtime.storage.database import Database
from runtime.systemd import ELSEWHERE, systemd

logger = logging.getLogger(__name__)

ENTRIES_AT_ONCE = 200
WAIT_MS = 250
PAUSE_S = 0.5


class Follower:
    """Put what is heard of the feed at work into a store of our own, the ten minutes first that the bus keeps."""

    def __init__(self, client: Redis, database: Database) -> None:
        self._client = client
        self._database = database
        self._at = "0-0"
        latest = ticks_store.latest(database)
        self._newest_ms = latest.id if latest else 0

    def follow(self, wait_ms: int = WAIT_MS) -> bool:
        """Store what has come; with nothing there, wait for it. Return whether there may be more."""
        found: Any = self._client.xread({BUS_PUBLIC: self._at}, count=ENTRIES_AT_ONCE, block=wait_ms)
        entries = found[0][1] if found else []
        for entry_id, fields in entries:
            self._at = entry_id
            if fields[b"type"] == b"price":
                self._store(decode_tick(fields[b"data"]))
        return len(entries) == ENTRIES_AT_ONCE

    def _store(self, tick: Tick) -> None:
        if tick.id > self._newest_ms:
            ticks_store.append(self._database, tick)
            self._newest_ms = tick.id


def await_seat(
    seat: Seat, client: Redis, database: Database, stopping: Stopping, standing_by: Callable[[], object]
) -> bool:
    """Follow until this machine is the one at work, with all that was heard stored; False: told to stop."""
    follower, told = Follower(client, database), False
    while not stopping.is_set():
        systemd.alive()
        try:
            is_behind = follower.follow()
            if not is_behind and seat.take():
                return True
            standing_by()
        except OUTAGES as ex:
            logger.warning("hears nothing: %s", ex)
            stopping.wait(PAUSE_S)
            continue
        if not told:
            systemd.standing_by("feed", ELSEWHERE)
            logger.info("stands by for the feed that is at work on another machine")
            told = True
    return False
