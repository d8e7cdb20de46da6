"""Which of several machines a process is of: they share a ledger on PostgreSQL, and Redis."""

from __future__ import annotations

import os
import socket

from runtime.settings import Settings

SEVERAL = "TAP_SEVERAL_MACHINES"
"""Set where the ledger is one that machines share: processes that do not read it are not told where it is."""


def identity(settings: Settings) -> str:
    """Return the name of this machine and of its data folder, since a machine may have two runs."""
    return f"{socket.gethostname()}:{settings.data.resolve()}"


def machine_of(settings: Settings) -> str:
    """Return the name of this machine where there may be others; empty for a house on SQLite, which is on one."""
    return identity(settings) if settings.database_url or SEVERAL in os.environ else ""
