"""A spare writer on PostgreSQL: it waits until there is none, or until the one that is there says nothing any more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing

from runtime.postgresql.connection import PostgresDatabase
from runtime.postgresql.translation import OWN

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""How long the server may take to answer whoever stands by."""
PAUSES = 5
"""Pauses between two looks: who waits for a process on the same machine looks as often as that."""
SILENT_S = 4.0
"""A writer that has given no sign for so long is stopped or cut off: its session is ended. It gives one each second."""


def await_vacancy(url: str, shard: int, pause: Callable[[], object]) -> None:
    """Come back once nobody holds the lock of a shard's writer; `pause` waits a moment each time.

    Raise OperationalError where the server cannot be asked. A session that is ended takes its transaction along. What
    it had committed on a server whose standby is away is decided by whoever begins the next epoch.
    """
    with closing(PostgresDatabase(url, prepare="", patience_s=PATIENCE_S)) as watching:
        while at_work := watching.execute(OWN["writer_at_work"], (shard - 1,)):
            ((session, silent_s),) = at_work
            if silent_s > SILENT_S:
                logger.warning("the writer has said nothing for %.1f s: its session is ended", silent_s)
                watching.execute(OWN["end_session"], (session,))
            for _ in range(PAUSES):
                pause()
