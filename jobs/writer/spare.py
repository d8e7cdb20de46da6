"""How a writer on PostgreSQL begins: it waits for its server, and stands by for the writer that is at work."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from runtime.clock import Clock
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, Redis
from runtime.messaging.metrics_exchange import StandingBy
from runtime.messaging.redis_values import SpareAlive
from runtime.postgresql import choice
from runtime.process_lock import LockHeld
from runtime.settings import Settings
from runtime.storage.database import Database, DatabaseUnsafe, OperationalError
from runtime.systemd import ELSEWHERE, systemd

T = TypeVar("T")
logger = logging.getLogger(__name__)

SAY_EVERY_MS = 1_000
AWAY_WAIT_S = 0.1


class Spare:
    """Wait a moment each time, and say now and then that we do."""

    def __init__(self, pause: Callable[[], object], client: Redis, clock: Clock, machine: str, shard: int = 1) -> None:
        self._key = redis_keys.of_shard(redis_keys.WRITER_SPARE, shard)
        self._pause = pause
        self._client = client
        self._clock = clock
        self._alive = SpareAlive(socket.gethostname(), os.getpid()).encode()
        self._standing_by = StandingBy("writer", machine, client, clock, shard - 1)
        self._due_ms = 0
        self._is_told = False

    def __call__(self) -> None:
        """Wait a moment."""
        self._pause()
        if not self._is_told:
            # Whoever is at work on this machine has the lock of the data folder, which was waited for before.
            systemd.standing_by("writer", ELSEWHERE)
            self._is_told = True
        now_ms = self._clock.monotonic_ms()
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + SAY_EVERY_MS
            with suppress(*OUTAGES):
                self._standing_by()
                self._client.set(self._key, self._alive, ex=redis_keys.ALIVE_TTL_S)


class _Away:
    """Wait for a server that is away or shuts down, and say so once for each of its reasons."""

    def __init__(self) -> None:
        self._trouble = ""

    def __call__(self, trouble: object) -> None:
        """Wait a moment."""
        if str(trouble) != self._trouble:
            self._trouble = str(trouble)
            logger.warning("waits for the database: %s", trouble)
        systemd.alive()
        time.sleep(AWAY_WAIT_S)


def await_ledger(settings: Settings) -> None:
    """Wait on PostgreSQL until the server answers; raise DatabaseUnsafe or WrongSchema where the ledger is not ours."""
    away = _Away()
    while True:
        try:
            choice.open_migrated(settings).close()
        except DatabaseUnsafe as ex:
            if not settings.database_url or not isinstance(ex.__cause__, OperationalError):
                raise
            away(ex.__cause__)
        else:
            return


def begun(settings: Settings, shard: int, stand_by: Callable[[], object] | None, make: Callable[[Database], T]) -> T:
    """Make the writer once it is its turn; a server that ends meanwhile is waited for, or the one that takes over."""
    away = _Away()
    while True:
        database = opened(settings, shard, stand_by)
        try:
            return make(database)
        except OperationalError as ex:
            database.close()
            if not settings.database_url:
                raise
            away(ex)


def opened(settings: Settings, shard: int, stand_by: Callable[[], object] | None) -> Database:
    """Open a ledger to write; on PostgreSQL a spare stands by for the writer that is at work, on whatever machine."""
    away = _Away()
    while True:
        try:
            return choice.open_writer(settings, shard)
        except LockHeld:
            if stand_by is None:
                raise
        except OperationalError as ex:
            if not settings.database_url:
                raise
            away(ex)
            continue
        stand_by()
        try:
            choice.await_vacancy(settings, shard, stand_by)
        except OperationalError as ex:
            away(ex)
