"""What the writer says of itself, asked for a few times a second: a writer in trouble gets no new bets."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from runtime.errors import Unavailable
from runtime.messaging.connection import OUTAGES
from runtime.messaging.redis_keys import WRITER_ALIVE, of_shard
from runtime.messaging.redis_values import WriterAlive

logger = logging.getLogger(__name__)

WATCH_EVERY_S = 0.5
RETRY_AFTER_S = 2


class Getter(Protocol):
    """The call that is needed of a Redis client."""

    def get(self, name: str) -> Any:
        """Return the value of a key."""
        ...


class WriterWatch:
    """Know whether the writer can write.

    A writer that says nothing may just be starting: its bets wait in the queue, up to the limit of the backlog. One
    that says that the database takes no writes will not commit what is sent now, so it is refused at once.
    """

    def __init__(self, client: Getter, shard: int = 1) -> None:
        self._key = of_shard(WRITER_ALIVE, shard)
        self._client = client
        self.trouble = ""

    def look(self) -> None:
        """Ask once; without an answer the last word stands."""
        try:
            alive = self._client.get(self._key)
        except OUTAGES as ex:
            logger.warning("the writer cannot be asked: %s", ex)
            return
        self.trouble = WriterAlive.decode(alive).trouble if alive else ""

    def guard(self) -> None:
        """Raise Unavailable while the writer is in trouble."""
        if self.trouble:
            raise Unavailable("Bets cannot be stored right now.", retry_after_s=RETRY_AFTER_S)
