"""Hourly backup: the live database as one uninterrupted snapshot, checked, with its checksum beside it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runtime.audit.heads import newest_head
from runtime.clock import Clock, SystemClock
from runtime.messaging.queues import JOBS
from runtime.personal.erased import ERASURES_FILE, ErasedFile
from runtime.settings import Settings, load
from runtime.storage.backups import FOLDER, PREFIX, Backup
from runtime.storage.database import DatabaseUnsafe, open_reader
from runtime.storage.files import sha256_of, to_disk
from runtime.triggers import cron

logger = logging.getLogger(__name__)

KEEP = 24


@cron("0 * * * *", name="backup-live", queue=JOBS, timeout_s=1800, overdue_s=2 * 3600)
def backup_live() -> dict[str, object]:
    """Back up the live database (a job of RQ's: its result is what was made)."""
    settings = load()
    if settings.database_url:
        back_up_functions(settings)
        return {"left_out": "the ledger on PostgreSQL is backed up by PostgreSQL's own tools"}
    made = back_up(settings, SystemClock())
    logger.info("backed up commit %d into %s (%d bytes)", made.commit, made.file, made.bytes)
    return msgspec.to_builtins(made)  # type: ignore[no-any-return]


def back_up(settings: Settings, clock: Clock) -> Backup:
    """Back up the live database, and first what functions remember, which must not be ahead of it."""
    back_up_functions(settings)
    return make_backup(settings.database, settings.data / FOLDER, clock)


def back_up_functions(settings: Settings) -> None:
    """Back up what functions remember."""
    folder = settings.data / FOLDER
    if settings.functions_database.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep_functions(settings.functions_database, folder)


def make_backup(live: Path, folder: Path, clock: Clock, keep: int = KEEP) -> Backup:
    """Copy `live` into `folder`, check the copy, and remove all but the newest `keep`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made_ms = clock.now_ms()
    stamp = datetime.fromtimestamp(made_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    copy, unfinished = folder / f"{PREFIX}{stamp}Z.db", folder / "unfinished.db"
    copy_whole(live, unfinished)
    commit, commit_hash = check(unfinished)
    made = Backup(copy.name, made_ms, unfinished.stat().st_size, sha256_of(unfinished), commit, commit_hash)
    (folder / f"{copy.name}.sha256").write_text(f"{made.sha256}  {copy.name}\n")
    (folder / f"{copy.name}.json").write_bytes(msgspec.json.encode(made) + b"\n")
    keep_erasures(live.parent, folder)
    to_disk(unfinished)
    unfinished.rename(copy)
    to_disk(folder)
    remove_old(folder, keep)
    return made


def keep_functions(source: Path, folder: Path) -> None:
    """Copy what functions remember, webhooks among it, beside the backups: the newest copy alone."""
    unfinished = folder / "unfinished-functions.db"
    copy_whole(source, unfinished)
    to_disk(unfinished)
    unfinished.rename(folder / source.name)
    to_disk(folder)


def copy_whole(source: Path, copy: Path) -> None:
    """Copy a database that is being written, as it stands at one moment; what a killed run left is replaced."""
    copy.unlink(missing_ok=True)
    reader = open_reader(source)
    try:
        # The file itself is opened read-only; query_only would forbid writing the copy as well.
        reader.execute("PRAGMA query_only = 0")
        # One statement, one read transaction: the paged backup API starts anew with every commit of the writer.
        reader.execute("VACUUM INTO ?", (str(copy),))
    finally:
        reader.close()


def keep_erasures(data: Path, folder: Path) -> None:
    """Keep beside the copies who was forgotten: a copy from before must not know them again."""
    kept = ErasedFile(folder / ERASURES_FILE)
    kept.path.touch(mode=0o600)
    kept.add(ErasedFile(data / ERASURES_FILE).read())


def check(copy: Path) -> tuple[int, str]:
    """Check a copy's integrity; return number and hash of its last commit, (0, '') where there is none."""
    reader = open_reader(copy)
    try:
        found = reader.execute("PRAGMA integrity_check")
        if found != [("ok",)]:
            raise DatabaseUnsafe(f"{copy}: {found[:3]}")
        return newest_head(reader) or (0, "")
    finally:
        reader.close()


def remove_old(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` copies and what lies beside them."""
    for old in sorted(folder.glob(f"{PREFIX}*.db"))[:-keep]:
        for path in (old, old.with_name(old.name + ".sha256"), old.with_name(old.name + ".json")):
            path.unlink(missing_ok=True)
