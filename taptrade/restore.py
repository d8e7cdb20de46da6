"""`taptrade restore`: bring databases back from the replica, recount them, and tell what is missing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from rich.progress import MofNCompleteColumn, TimeElapsedColumn

from jobs.upkeep.archive_store import StoreFailed, open_store
from jobs.upkeep.erasures import stored_erasures
from jobs.writer.book import Book
from jobs.writer.erasures import keep_forgotten
from runtime.audit import audit
from runtime.audit.heads import HEADS_FILE, read_heads
from runtime.clock import SystemClock, rfc3339
from runtime.errors import TaptradeError
from runtime.game.ledger import SQL
from runtime.game.limits import RiskLimits
from runtime.personal.erased import ERASURES_FILE, Erased, ErasedFile
from runtime.postgresql import choice
from runtime.setting_forms import stored_at
from runtime.settings import Settings, load
from runtime.storage import ticks_store
from runtime.storage.database import LEDGER_MIGRATIONS, DatabaseUnsafe, naming, open_reader, open_writer
from runtime.storage.migrate import open_migrated
from taptrade import litestream
from taptrade.arguments import typed
from taptrade.bars import bar
from taptrade.books import moment
from taptrade.output import add_output
from taptrade.told_events import keep_behind

SHOWN_MAX = 100


class RestoreRefused(TaptradeError):
    """Nothing can be restored so."""


class Missing(msgspec.Struct, frozen=True):
    """An entry of the old ledger that the restored one lacks: somebody was told of it."""

    commit: int
    at: str
    ref_type: str
    ref_id: str
    user_id: str
    amount: int


class Restored(msgspec.Struct, frozen=True):
    """What came back, up to which moment, and what is known of what did not."""

    folder: str
    source: str
    commit: int
    committed_at: str | None
    hash: str
    ticks_until: str | None
    audit: str
    audit_ok: bool
    missing: list[Missing] | None
    """None where nobody said where to look."""
    forgotten: list[str]
    """Players who had been forgotten since, and were again."""
    erasures_unread: str
    """Why the archive store did not tell of erasures; empty: it did."""
    stepped_back: list[str] | None
    """Functions that had been told of more than the ledger has; None where nothing is known of functions."""


def main(argv: Sequence[str]) -> int:
    """Restore the databases from the replica into a new folder, recount them, and tell up to what moment they go.

    Nothing is overwritten. Players who were forgotten since are forgotten again. The exit code is 1 if the audit finds
    anything wrong or the archive store does not tell of erasures, 2 if nothing can be restored.
    """
    parser = argparse.ArgumentParser(prog="taptrade restore", description=main.__doc__)
    parser.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="a new or empty folder")
    parser.add_argument(
        "--from", dest="source", type=typed(stored_at), metavar="URL", help="the replica; else TAPTRADE_REPLICA_URL"
    )
    parser.add_argument("--at", type=moment, metavar="TIME", help="the state at that time, RFC 3339; else the newest")
    parser.add_argument("--old", type=Path, metavar="FOLDER", help="an old data folder: list what it has beyond that")
    add_output(parser)
    given = parser.parse_args(argv)
    settings = load()
    choice.refuse_on_postgresql(
        settings, "a restore from Litestream's replica", "restore a base backup of PostgreSQL's"
    )
    found = restore(settings, given.source or litestream.replica_of(settings), given.to, given.at, given.old)
    print(msgspec.json.encode(found).decode() if given.json else "\n".join(_sentences(found)))
    return 0 if found.audit_ok and not found.erasures_unread else 1


def restore(settings: Settings, source: str, folder: Path, at_ms: int | None, old: Path | None) -> Restored:
    """Restore into `folder`, audit what came, and compare it with what is left of the old data folder."""
    folder = folder.absolute()
    require_empty(folder)
    replica = litestream.Replica(source, settings.replica_endpoint, os.environ)
    with bar(MofNCompleteColumn(), TimeElapsedColumn()) as progress:
        task = progress.add_task("databases", total=None)
        replica.restore(folder, at_ms, lambda done, total: progress.update(task, completed=done, total=total))
        path, ticks, functions = litestream.databases(folder)
        open_migrated(path, LEDGER_MIGRATIONS).close()
        stepped_back = keep_behind(functions, lambda: open_reader(path)) if functions.exists() else None
        erasures, unread = known_erasures(settings, old)
        forgotten = forget_again(path, folder, erasures)
        database = open_migrated(path, LEDGER_MIGRATIONS)
        task = progress.add_task("commits", total=None)
        try:
            with naming(path):
                commit = database.execute(SQL["newest_commit"])[0][0]
                made = database.execute(SQL["commit_time"], (commit,))
                heads = [head for head in read_heads(old / HEADS_FILE) if head.commit <= commit] if old else []
                report = audit(
                    database, lambda done, total: progress.update(task, completed=done, total=total), heads=heads
                )
        finally:
            database.close()
    return Restored(
        folder=str(folder),
        source=source,
        commit=commit,
        committed_at=rfc3339(made[0][0]) if made else None,
        hash=report.head,
        ticks_until=ticks_until(ticks),
        audit=report.summary,
        audit_ok=report.ok,
        missing=None if old is None else missing_from(old / settings.database.name, commit),
        forgotten=forgotten,
        erasures_unread=unread,
        stepped_back=stepped_back,
    )


def known_erasures(settings: Settings, old: Path | None) -> tuple[list[Erased], str]:
    """Return the erasures that data folders and the archive store tell of, and why the store does not."""
    found: list[Erased] = []
    for folder in filter(None, (settings.data, old)):
        found += ErasedFile(folder / ERASURES_FILE).read()
    try:
        return found + stored_erasures(open_store(settings)), ""
    except StoreFailed as ex:
        return found, str(ex)


def forget_again(path: Path, folder: Path, erasures: list[Erased]) -> list[str]:
    """Forget in a restored database those who were forgotten since, and keep the list beside it; return whom."""
    if not erasures:
        return []
    open_migrated(path, LEDGER_MIGRATIONS).close()
    file = ErasedFile(folder / ERASURES_FILE)
    file.add(erasures)
    with naming(path), closing(open_writer(path)) as database:
        risk = RiskLimits(0, 0, 0, 0)  # no bet is judged
        again = keep_forgotten(Book(database, SystemClock(), risk), file)
        database.checkpoint("TRUNCATE")
    return [one.user_id for one in again]


def require_empty(folder: Path) -> None:
    """Make the folder; raise RestoreRefused if something is in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RestoreRefused(f"{folder} is not empty; nothing is ever overwritten, so name a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def ticks_until(path: Path) -> str | None:
    """Check the ticks' integrity; return the time of the newest."""
    database = open_migrated(path, ticks_store.MIGRATIONS)
    try:
        with naming(path):
            found = database.execute("PRAGMA integrity_check")
            if found != [("ok",)]:
                raise DatabaseUnsafe(f"{path}: {found[:3]}")
            newest = ticks_store.latest(database)
    finally:
        database.close()
    return rfc3339(newest.id) if newest else None


def missing_from(old: Path, commit: int) -> list[Missing]:
    """Return the entries of an old ledger that came after a commit; raise DatabaseUnsafe if it cannot be read."""
    database = open_migrated(old, LEDGER_MIGRATIONS)
    try:
        with naming(old):
            rows = database.execute(SQL["entries_after"], (commit,))
    finally:
        database.close()
    return [Missing(number, rfc3339(at_ms), *rest) for number, at_ms, *rest in rows]


def _sentences(found: Restored) -> list[str]:
    said = [
        f"restored from {found.source} into {found.folder}",
        f"ledger: up to commit {found.commit} of {found.committed_at or 'no time'}, hash {found.hash}",
        f"ticks: up to {found.ticks_until or 'none'}",
        found.audit,
    ]
    if found.stepped_back is None:
        said.append("functions: nothing of them is in the replica from that time; they are told of what comes")
    told = "had been told of more than the ledger has, and goes on from its end"
    said += [f"functions: {name} {told}" for name in found.stepped_back or ()]
    if found.forgotten:
        said.append(f"forgot again, as before: {', '.join(found.forgotten)}")
    if found.erasures_unread:
        said.append(f"the archive store may know of more players to forget: {found.erasures_unread}")
    if found.missing is None:
        return [*said, "what was committed after that is in no replica; --old FOLDER lists it from an old data folder"]
    said.append(f"{len(found.missing)} entries of the old ledger came after that:")
    shown = (f"  {one.at} {one.ref_type} {one.ref_id} of {one.user_id}: {one.amount}" for one in found.missing)
    said += list(shown)[:SHOWN_MAX]
    return said + ([f"  and more; --json shows all {len(found.missing)}"] if len(found.missing) > SHOWN_MAX else [])
