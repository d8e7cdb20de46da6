"""Read archives back: verified against what was recorded and the live chain, and brought back to be read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.upkeep.archive import WORK
from jobs.upkeep.archive_store import ArchiveStore, StoreFailed
from jobs.upkeep.packing import unpack
from jobs.upkeep.week_file import FILE, WeekUnfit, check_file
from runtime.archive.files import attached, restored_file
from runtime.archive.manifest import Manifest
from runtime.archive.weeks import Week, week_named
from runtime.clock import SystemClock
from runtime.errors import TaptradeError
from runtime.game.ledger import SQL
from runtime.settings import Settings
from runtime.storage.database import LEDGER_MIGRATIONS, Database, migrate
from runtime.storage.files import to_disk


class WeekUnknown(TaptradeError):
    """There is no archive of such a week."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the live database knows of an archive."""

    manifest: Manifest
    stored_as: str

    @property
    def week(self) -> Week:
        """The week that it holds."""
        return week_named(self.manifest.content.week)


def recorded(database: Database) -> dict[Week, Recorded]:
    """Return the weeks that are recorded as archived, oldest first."""
    rows = database.execute(FILE["archives"])
    found = [Recorded(Manifest.of(manifest), stored_as) for manifest, stored_as in rows]
    return {one.week: one for one in found}


def verify(settings: Settings, store: ArchiveStore, database: Database, one: Recorded) -> None:
    """Read an archive back whole, audit what is in it, and hold its hashes against the live chain.

    Raise StoreFailed or WeekUnfit with what is wrong.
    """
    path = _fetched(settings, store, database, one)
    path.unlink()


def restore(settings: Settings, store: ArchiveStore, database: Database, one: Recorded) -> Path:
    """Bring a week back, verified; return where it lies."""
    here = attached(settings.data).get(one.week)
    if here is not None:
        return here
    path = _fetched(settings, store, database, one)
    target = restored_file(settings.data, one.week)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.rename(target)
    to_disk(target.parent)
    return target


def _fetched(settings: Settings, store: ArchiveStore, database: Database, one: Recorded) -> Path:
    manifest, content = one.manifest, one.manifest.content
    folder = settings.data / WORK
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"fetched-{manifest.file}"
    try:
        hashes = unpack(store.read(one.stored_as), path)
        if hashes != (manifest.stored_sha256, manifest.sha256):
            raise StoreFailed(f"{one.stored_as} is not what was stored: its SHA-256 is another")
        # An older version may have made it; what it holds stays what it was.
        migrate(path, LEDGER_MIGRATIONS, SystemClock())
        check_file(path, content)
        for number, expected in ((content.last_commit, content.last_hash), (content.cut_commit, content.cut_hash)):
            if number and database.execute(SQL["hash_of_commit"], (number,)) != [(expected,)]:
                raise WeekUnfit(f"{one.stored_as}: the live ledger's hash of commit {number} is another")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
