"""functions.db: what functions must remember though Redis forgets. It is opened by each thread for itself."""

from __future__ import annotations

from pathlib import Path

from runtime.clock import Clock
from runtime.storage.migrate import migrate

MIGRATIONS = Path(__file__).parent / "migrations_functions"


def prepare(path: Path, clock: Clock) -> list[str]:
    """Create or update the tables of `path`; return the names of the migrations applied."""
    return migrate(path, MIGRATIONS, clock)
