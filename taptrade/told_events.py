"""What functions were told of events must not be ahead of the ledger: after a restore it may be, and goes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from jobs.triggers.positions import furthest, step_back
from runtime.records.events import last_commit
from runtime.storage.database import Database, open_writer
from runtime.webhooks.subscriptions import Webhooks


def keep_behind(functions_database: Path, open_ledger: Callable[[], Database]) -> list[str]:
    """Let functions that were told of more than the ledger has go on from its end; return their names.

    It must be done before anything is committed to a ledger that was restored: its next commits have the numbers of
    those that are lost, and whose position is beyond them would not be told of them.
    """
    with closing(open_writer(functions_database)) as store:
        webhooks = Webhooks(store)
        told = max(furthest(store), webhooks.furthest())
        # Asked afterwards: where a house is at work meanwhile, its functions have not been told of more than this.
        with closing(open_ledger()) as reader:
            newest = last_commit(reader.execute)
        if told <= newest:
            return []
        with store.transaction():
            webhooks.forget_beyond(newest)
            return step_back(store, newest)
