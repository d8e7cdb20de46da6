"""Weekly archive: a closed week goes into a file of its own, is stored, read back whole, recorded, and then let go of.

Each step leaves its result under a name that the next run knows, so a run that is killed goes on where it was. The
writer lets go of the rows only once the week is recorded, and that it is only after it was read back.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from jobs.upkeep.archive_store import ArchiveStore, StoreFailed, open_store
from jobs.upkeep.frames import index_of
from jobs.upkeep.packing import Paused, compress, quietly, sha256_of_chunks, unpack
from jobs.upkeep.week_file import FILE, Progress, WeekFile, check_file, pack
from runtime.archive.files import WEEKS, kept_file, superfluous
from runtime.archive.manifest import Content, Manifest
from runtime.archive.weeks import Week, due_weeks
from runtime.clock import Clock, SystemClock
from runtime.errors import TaptradeError
from runtime.game.cuts import Cut
from runtime.game.ledger import SQL, read_cut
from runtime.messaging.commands import Outcome, RecordArchive
from runtime.messaging.connection import Redis, connect
from runtime.messaging.queues import JOBS, QUEUE_PREFIX, ask, new_id
from runtime.messaging.redis_keys import ARCHIVE_LAST
from runtime.messaging.redis_values import ArchiveResult
from runtime.process_lock import sole
from runtime.settings import Settings, load
from runtime.storage.database import naming, open_reader
from runtime.storage.files import sha256_of, to_disk
from runtime.triggers import cron

logger = logging.getLogger(__name__)

WORK = "weeks/unfinished"
"""In the data folder: what a run has made and not finished with."""
COMMAND_TTL_MS = 600_000
ANSWER_S = 60.0
JOB_ID = "archive-weeks"
BYTES_PER_BET = 500
"""What a bet takes with its entries, of the live database and of each copy."""
SPARE_BYTES = 1 << 30

Ask = Callable[[RecordArchive], Outcome | None]


class DiskTooSmall(TaptradeError):
    """The disk has no room for a week's file."""


class NotRecorded(TaptradeError):
    """The writer has not recorded the archive; nothing was let go of, the next run asks again."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a week ends: its last commit with its hash, and the last bet and entry up to it."""

    week: Week
    last: tuple[int, str, int, str]


# What is due changes on Sunday 00:00 UTC. A run that was missed, failed or let another job go first is made up for.
@cron("*/10 * * * *", name=JOB_ID, queue=JOBS, timeout_s=12 * 3600, overdue_s=24 * 3600)
def archive_weeks() -> dict[str, object]:
    """Archive the weeks that are due (a job of RQ's: its result is what was archived)."""
    settings = load()
    if settings.database_url:
        return {"left_out": "weeks are not archived while PostgreSQL holds the ledger"}
    client = connect(settings.redis_url, block_s=ANSWER_S)
    try:
        with archiving(settings):
            clock = SystemClock()
            archiver = Archiver(
                settings, open_store(settings), by_queue(client, clock), clock, _log, lambda: others_wait(client)
            )
            made = archiver.run()
            if not archiver.due():
                tell_success(client, clock, made)
    except Paused as ex:
        logger.info("archive: %s, the next run goes on", ex)
        return {"archived": [], "paused": True}
    finally:
        client.close()
    return {"archived": [one.content.week for one in made]}


def others_wait(client: Redis) -> bool:
    """Tell whether another job waits for the worker of this one; the next run of this one may wait as well."""
    waiting: Any = client.lrange(QUEUE_PREFIX + JOBS, 0, -1)
    return any(job_id != JOB_ID.encode() for job_id in waiting)


@contextmanager
def archiving(settings: Settings) -> Iterator[None]:
    """Be the only one who archives: the job and an operator's command work on the same files."""
    with sole("archiver", settings.data / "run" / "archive.lock"):
        yield


def tell_success(client: Redis, clock: Clock, made: list[Manifest]) -> None:
    """Leave word for the metrics that nothing is due."""
    client.set(ARCHIVE_LAST, ArchiveResult(clock.now_ms(), made[-1].content.week if made else "").encode())


def by_queue(client: Redis, clock: Clock) -> Ask:
    """Return how the writer is asked: by the queue, as by any operator."""

    def ask_writer(command: RecordArchive) -> Outcome | None:
        return ask(client, command, clock.now_ms(), wait_s=ANSWER_S)

    return ask_writer


def _log(what: str, done: int, total: int) -> None:
    if done >= total:
        logger.info("archive: %s done", what)


class Archiver:
    """Archive weeks, oldest first. Nobody but the writer writes the live database."""

    def __init__(
        self,
        settings: Settings,
        store: ArchiveStore,
        ask_writer: Ask,
        clock: Clock,
        progress: Progress,
        pause: Callable[[], bool] = lambda: False,
    ) -> None:
        self._live = settings.database
        self._data = settings.data
        self._store = store
        self._ask = ask_writer
        self._clock = clock
        self._progress = progress
        self._pause = pause

    def run(self) -> list[Manifest]:
        """Archive what is due and return it; a week after it waits until the writer has let go of the one before.

        Raise Paused where `pause` says that others wait: what takes longest, compression, is left half done for them.
        """
        made = []
        while (found := self._next()) is not None:
            made.append(self._archive(*found))
        for path in superfluous(self._data):
            path.unlink()
        return made

    def due(self) -> list[Week]:
        """Return the weeks that wait for their archive."""
        reader = open_reader(self._live)
        try:
            cut = read_cut(reader.execute)
            began = reader.execute(FILE["commit_after"], (cut.last_commit,))
        finally:
            reader.close()
        return due_weeks(began[0][0], self._clock.now_ms()) if began else []

    def _next(self) -> tuple[Cut, Ending] | None:
        weeks = self.due()
        if not weeks:
            return None
        reader = open_reader(self._live)
        try:
            if reader.execute(SQL["has_archived_rows"]) != [(0, 0)]:
                logger.info("archive: %s waits until the week before is let go of", weeks[0].name)
                return None
            cut = read_cut(reader.execute)
            ((number, hash_, seq, entry),) = reader.execute(FILE["last_commit_before"], (weeks[0].end_ms,) * 2)
        finally:
            reader.close()
        return cut, Ending(weeks[0], (number, hash_, seq, entry))

    def _archive(self, cut: Cut, ending: Ending) -> Manifest:
        week = ending.week
        work = self._data / WORK
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole, packed = work / week.file, work / f"{week.file}.zst"
        with naming(whole):
            content = quietly(partial(self._whole_file, whole, cut, ending))
        if not packed.exists():
            self._progress("compress", 0, 1)
            quietly(partial(compress, whole, packed, self._pause))
            self._progress("compress", 1, 1)
        manifest = Manifest(
            content,
            week.file,
            whole.stat().st_size,
            sha256_of(whole),
            packed.stat().st_size,
            sha256_of(packed),
            *index_of(packed),
        )
        stored_as = self._stored(packed, manifest)
        self._keep(whole, week)
        self._record(manifest, stored_as)
        packed.unlink()
        logger.info(
            "archived %s as %s, %d of %d bytes", week.name, stored_as, manifest.stored_bytes, manifest.file_bytes
        )
        return manifest

    def _whole_file(self, whole: Path, cut: Cut, ending: Ending) -> Content:
        """Return what the file holds, which is filled unless an earlier run, or one before a restore, has done so."""
        kept = kept_file(self._data, ending.week)
        if kept.exists() and not whole.exists():
            kept.rename(whole)
        if whole.exists():
            content, _ = check_file(whole)
            if (content.previous_hash, content.last_hash) == (cut.cut_hash, ending.last[1]):
                return content
            whole.with_name(f"{whole.name}.zst").unlink(missing_ok=True)
        self._require_space(cut, ending)
        filling, unchecked = whole.with_name("filling.db"), whole.with_name("packed.db")
        content = WeekFile(self._live, filling, ending.week, self._clock, self._progress).fill(cut, ending.last)
        pack(filling, unchecked)
        filling.unlink()
        self._progress("check", 0, 1)
        check_file(unchecked, content)
        to_disk(unchecked)
        unchecked.rename(whole)
        self._progress("check", 1, 1)
        return content

    def _require_space(self, cut: Cut, ending: Ending) -> None:
        """Fail before anything is written if the disk may become full by it: commits would stop."""
        needed = 3 * BYTES_PER_BET * max(0, ending.last[2] - cut.cut_seq) + SPARE_BYTES
        free = shutil.disk_usage(self._data).free
        if needed > free:
            raise DiskTooSmall(f"{ending.week.name} may need {needed >> 20} MB of the disk, {free >> 20} MB are free")

    def _stored(self, packed: Path, manifest: Manifest) -> str:
        """Store the archive and read it back whole; return its name.

        The name may be taken, by what a run stored that lost its files since: it stays as it is, and ours gets another.
        """
        names = (packed.name, f"{manifest.content.week}-{manifest.stored_sha256[:16]}.db.zst")
        for name in names:
            if self._store.put(name, packed) or sha256_of_chunks(self._store.read(name)) == manifest.stored_sha256:
                break
        else:
            raise StoreFailed(f"{names[-1]} is there, and is not what was stored")
        if unpack(self._store.read(name)) != (manifest.stored_sha256, manifest.sha256):
            raise StoreFailed(f"{name} was read back otherwise than it was stored; nothing was let go of")
        beside = packed.with_name(f"{name}.json")
        beside.write_text(f"{msgspec.json.format(manifest.text())}\n")
        self._store.put(beside.name, beside)
        beside.unlink()
        return name

    def _keep(self, whole: Path, week: Week) -> None:
        """Let the file be read beside the live database, from before the first row is gone from that."""
        kept = kept_file(self._data, week)
        whole.rename(kept)
        to_disk(self._data / WEEKS)

    def _record(self, manifest: Manifest, stored_as: str) -> None:
        content, now_ms = manifest.content, self._clock.now_ms()
        outcome = self._ask(
            RecordArchive(
                id=new_id(now_ms),
                received_ms=now_ms,
                decided_by_ms=now_ms + COMMAND_TTL_MS,
                week=content.week,
                first_commit=content.first_commit,
                cut_commit=content.cut_commit,
                last_commit=content.last_commit,
                cut_seq=content.cut_seq,
                cut_entry=content.cut_entry,
                cut_hash=content.cut_hash,
                last_hash=content.last_hash,
                stored_as=stored_as,
                manifest=manifest.text(),
            )
        )
        if outcome is None or outcome.code is not None:
            why = "it gives no answer" if outcome is None else outcome.detail
            raise NotRecorded(f"{content.week} is stored as {stored_as}, but the writer has not recorded it: {why}")
