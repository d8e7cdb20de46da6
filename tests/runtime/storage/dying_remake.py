"""A run that makes a database anew, and dies when it has told so often how far it is; arguments: path, times."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from runtime.clock import ManualClock
from runtime.storage import remake
from runtime.storage.database import LEDGER_MIGRATIONS
from runtime.storage.migrate import migrate

BATCH_ROWS = 15


def main(path: Path, times: int) -> None:
    """Migrate, in small batches."""
    left = times

    def tell(what: str, done: int, count: int) -> None:
        nonlocal left
        sys.stdout.write(f"{what} {done} {count}\n")
        sys.stdout.flush()
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    remake.BATCH_ROWS = BATCH_ROWS
    migrate(path, LEDGER_MIGRATIONS, ManualClock(1), tell)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
