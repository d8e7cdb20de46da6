"""A writer that stands by says so in Redis, for the status of the house and its health."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from runtime.clock import Clock
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.redis_values import SpareAlive
from runtime.postgresql import choice
from runtime.process_lock import LockHeld
from runtime.settings import Settings
from runtime.storage.database import Database, OperationalError

logger = logging.getLogger(__name__)

SAY_EVERY_MS = 1_000


class Spare:
    """Wait a moment each time, and say now and then that we do."""

    def __init__(self, pause: Callable[[], object], client: Redis, clock: Clock, shard: int) -> None:
        self._key = redis_keys.of_shard(redis_keys.WRITER_SPARE, shard)
        self._pause = pause
        self._client = client
        self._clock = clock
        self._alive = SpareAlive(socket.gethostname(), os.getpid()).encode()
        self._due_ms = 0

    def __call__(self) -> None:
        """Wait a moment."""
        self._pause()
        now_ms = self._clock.monotonic_ms()
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + SAY_EVERY_MS
            with suppress(*OUTAGES):
                self._client.set(self._key, self._alive, ex=redis_keys.ALIVE_TTL_S)


def opened(settings: Settings, shard: int, stand_by: Callable[[], object] | None) -> Database:
    """Open a ledger to write; on PostgreSQL a spare stands by for the writer that is at work, on whatever machine."""
    trouble = ""
    while True:
        try:
            return choice.open_writer(settings, shard)
        except LockHeld:
            if stand_by is None:
                raise
        stand_by()
        try:
            choice.await_vacancy(settings, shard, stand_by)
        except OperationalError as ex:
            if str(ex) != trouble:
                trouble = str(ex)
                logger.warning("the writer that is at work cannot be seen: %s", trouble)
