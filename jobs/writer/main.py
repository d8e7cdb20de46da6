"""The writer's process: one at a time, alive until told to stop, patient with Redis and with the disk."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from pathlib import Path

from jobs.writer.alive import Alive
from jobs.writer.archives import Trimmer
from jobs.writer.book import AnotherWriter, Book
from jobs.writer.core import Stuck, Writer
from jobs.writer.erasures import keep_forgotten
from jobs.writer.inbox import Inbox
from jobs.writer.publish import catch_up
from jobs.writer.rules import WriterRules, risk_of
from jobs.writer.spare import Spare, await_ledger, begun
from jobs.writer.waits import WaitTicks
from runtime.background import Background
from runtime.betting.idempotency import KEYS_KEPT_MS
from runtime.clock import Clock, SystemClock
from runtime.game.ledger import SQL
from runtime.machine import machine_of
from runtime.market.models import keep_model, open_model
from runtime.messaging.connection import OUTAGES, Redis, connect, wait_until_ready
from runtime.messaging.metrics_exchange import start_pushing
from runtime.messaging.queues import of_shard
from runtime.metrics.table import Metrics
from runtime.personal.erased import ERASURES_FILE, ErasedFile, ErasuresUnreadable
from runtime.postgresql import choice
from runtime.process_lock import sole
from runtime.settings import Settings, load
from runtime.stopping import Stop, stop_on_signals
from runtime.storage.checkpoints import Checkpointer
from runtime.storage.column_width import adopt_width
from runtime.storage.database import AnotherWrites, Database, DatabaseUnsafe, OperationalError, SqliteDatabase
from runtime.systemd import systemd

logger = logging.getLogger(__name__)

IDLE_WAIT_S = 0.25
GATHER_MS = 5
GATHER_MS_FOR_BET = 0.3
GATHER_MS_MAX = 20
"""How long bets gather for a commit: the more of them come, the longer, since a few big commits leave the processors
far more time than many small ones. After a pause the first bet does not wait."""
STUCK_WAIT_S = 0.1
STOP_S_MAX = 5.0
ALIVE_EVERY_MS = 200
GC_THRESHOLDS = (50_000, 20, 50)
RQ_HEARTBEAT_EVERY_MS = 10_000
FORGET_EVERY_MS = 60_000
TRIM_EVERY_MS = 200
"""From one step of trimming to the next: some 4,000 bets a second, so that the disk has time for the bets that come."""
TRIM_LOOK_MS = 5_000
STRAYS_EVERY_MS = 5_000
RECOUNT_EVERY_MS = 2_000
"""Whoever empties a queue by hand leaves its bets in the count of the backlog, which then refuses bets for nothing."""


def lock_file(data: Path, shard: int = 1) -> Path:
    """Return the file that a shard's writer of a data folder locks for as long as it lives."""
    return data / "run" / f"{of_shard('writer', shard)}.lock"


class WriterProcess:
    """The loop around the writer's iterations."""

    def __init__(self, settings: Settings, client: Redis, database: Database, clock: Clock, shard: int = 1) -> None:
        self.shard = shard
        self.client = client
        self.database = database
        self.clock = clock
        self.stopping = Stop()
        adopt_width(database.execute, settings.column_seconds)
        # The writer's own connection may be waiting for a job, and a pushing thread must not share its place.
        self.metrics_client = connect(settings.redis_url)
        self.alive = Alive(client, shard, clock.now_ms())
        model = open_model(settings)
        keep_model(model, settings)
        self.writer = Writer(
            client,
            Book(database, clock, risk_of(settings), commit_type=choice.commit_type(settings)),
            Inbox(client, shard),
            WriterRules.of(settings, model, WaitTicks(settings.ticks_database, follows=bool(settings.database_url))),
            Metrics("writer", shard - 1),
        )
        self.background = Background(self.stopping, clock, self.writer.metrics)
        self.checkpoints: Checkpointer | None = None
        if isinstance(database, SqliteDatabase):
            self.checkpoints = Checkpointer(
                database, settings.database, self.writer.metrics, clock, is_shipped=bool(settings.replica_url)
            )
        self.has_spares, self.machine = bool(settings.database_url), machine_of(settings)
        self.trimmer = Trimmer(database, clock)
        self.erased = ErasedFile(settings.data / ERASURES_FILE)
        self.writer.on_erasure = self._keep_erasures
        self.trouble = ""
        self._due: dict[str, int] = {}
        self._has_begun = self._was_away = self._has_doubts = self._trims = False

    def run(self) -> None:
        """Iterate until told to stop; what waits in the queues then is left for the next writer."""
        if self.checkpoints is not None:
            self.checkpoints.start(self.background)
        start_pushing(self.metrics_client, self.writer.metrics, self.clock, OUTAGES, self.background, self.machine)
        while not self.stopping.is_set():
            # A writer that waits for the disk or for Redis gets on: starting it anew would help nobody.
            systemd.alive()
            try:
                self._run_once()
            except AnotherWrites as ex:
                raise AnotherWriter(str(ex)) from ex
            except (OperationalError, Stuck) as ex:
                self._note(f"the database {'takes no writes' if isinstance(ex, Stuck) else 'fails'}: {ex}")
                self._has_doubts = True
                self._say_so()
                self.stopping.wait(STUCK_WAIT_S)
            except OUTAGES as ex:
                self._note(f"Redis is away: {ex}")
                self.stopping.wait(STUCK_WAIT_S)
                self._was_away = True
        systemd.stopping()
        self._close()

    def _keep_erasures(self) -> None:
        self.database.execute("PRAGMA secure_delete = fast")
        try:
            keep_forgotten(self.writer.book, self.erased)
        except (OSError, ErasuresUnreadable):
            # The commit stands and is answered. Whoever repeats the command, or starts the house, tries again.
            logger.exception("the list of forgotten players could not be written")
        if self.checkpoints is not None:
            self.checkpoints.cut()

    def _begin(self) -> None:
        keep_forgotten(self.writer.book, self.erased)
        self._open()
        self._has_begun, self._was_away = True, False
        systemd.ready()

    def _open(self) -> None:
        """Tell what was not told, and take up what was left."""
        wait_until_ready(self.client, self.stopping.wait)
        told = catch_up(self.client, self.database.execute, self.shard)
        if told:
            logger.warning("told of %d commits that the last writer had not told of", told)
        self.writer.held = self.writer.inbox.open()
        self.alive.hear(self.writer.book)

    def _open_again(self) -> None:
        """After an outage, take up what Redis says that we hold.

        The reply that brought a job may have been lost, or Redis may have forgotten its last second and that a job is
        done: doing it again does nothing. What only we know of is kept, unless Redis came up empty: then it is let go
        of, as are the promises that were made for it.
        """
        wait_until_ready(self.client, self.stopping.wait)
        held = [*self.writer.held, *self.writer.aside]
        if not self.client.exists(self.writer.inbox.worker.key):
            logger.warning("Redis lost its memory; registering anew")
            held = []
        self._open()
        taken_up = {job.id for job in self.writer.held}
        self.writer.held += [job for job in held if job.id not in taken_up]
        self.writer.aside = []
        self._was_away = False

    def _run_once(self) -> None:
        if not self._has_begun:
            self._begin()
        if self._was_away:
            self._open_again()
        if self._has_doubts:
            self._tell_of_doubted()
        self.writer.run_once(IDLE_WAIT_S)
        self.trouble = ""
        self._housekeeping()
        if self.writer.gathers:
            self._gather()

    def _tell_of_doubted(self) -> None:
        """Tell of a commit that stands although we did not hear so; its jobs are held, and find what it stored."""
        self.writer.publish()
        told = catch_up(self.client, self.database.execute, self.shard)
        if told:
            logger.warning("told of %d commits that were in doubt and stand", told)
        self._has_doubts = False

    def _gather(self) -> None:
        """Let bets gather until the next iteration is due."""
        gather_ms = min(GATHER_MS + GATHER_MS_FOR_BET * self.writer.placing, GATHER_MS_MAX)
        left_ms = self.writer.collected_ms + gather_ms - self.clock.monotonic_ms()
        if left_ms > 0:
            self.stopping.wait(left_ms / 1000)

    def _is_due(self, what: str, every_ms: int) -> bool:
        now_ms = self.clock.monotonic_ms()
        if now_ms < self._due.get(what, 0):
            return False
        self._due[what] = now_ms + every_ms
        return True

    def _housekeeping(self) -> None:
        if self._is_due("alive", ALIVE_EVERY_MS):
            self._say_alive()
        if self._is_due("forget", FORGET_EVERY_MS):
            self._forget_idempotency_keys()
            if self.writer.share is not None:
                self.writer.share.forget()
        if self._is_due("heartbeat", RQ_HEARTBEAT_EVERY_MS):
            self.writer.inbox.heartbeat()
        if self.has_spares:
            self._look_at_spares()
        if not self.writer.leaves_jobs and self._is_due("trim", TRIM_EVERY_MS if self._trims else TRIM_LOOK_MS):
            self._trims = self.trimmer.step()
        # The count takes as long as the queue, so it waits until the queue is short.
        if not self.writer.leaves_jobs and self._is_due("recount", RECOUNT_EVERY_MS):
            self.writer.inbox.recount()

    def _look_at_spares(self) -> None:
        """Let spares see that this writer lives, and take up what another one took before it knew that it was none."""
        if self._is_due("sign", choice.SIGN_EVERY_MS):
            choice.give_sign(self.database)
        if self._is_due("strays", STRAYS_EVERY_MS):
            self.writer.held += self.writer.inbox.strays()

    def _forget_idempotency_keys(self) -> None:
        with self.database.transaction():
            self.database.execute(SQL["forget_idempotency_keys"], (self.clock.now_ms() - KEYS_KEPT_MS,))

    def _say_alive(self) -> None:
        in_doubt = self._has_doubts and self.has_spares  # SQLite leaves none
        self.alive.say(self.writer.book, self.trouble, self.writer.settlement.standings.closed, in_doubt=in_doubt)

    def _say_so(self) -> None:
        try:
            self._say_alive()
        except OUTAGES as ex:
            logger.warning("nobody hears of the trouble: %s", ex)

    def _note(self, trouble: str) -> None:
        if trouble != self.trouble:
            logger.error("%s", trouble)
        self.trouble = trouble

    def _close(self) -> None:
        try:
            self.writer.inbox.close()
        except OUTAGES as ex:
            logger.warning("left without telling Redis: %s", ex)
        if self.checkpoints is not None:
            self.checkpoints.stop()
        self.background.join(STOP_S_MAX)
        self.database.close()


def main(
    settings: Settings | None = None,
    redis_url: str = "",
    stand_by: Callable[[], object] | None = None,
    shard: int = 1,
) -> None:
    """Run a shard's writer until SIGTERM or SIGINT; with `stand_by`, as soon as the one that is at work has ended."""
    settings = settings or load()
    if stand_by is None:
        choice.open_migrated(settings).close()
    with sole(of_shard("writer", shard), lock_file(settings.data, shard), stand_by):
        # Only now: a migration must not meet a writer of the release before.
        await_ledger(settings)
        if shard > choice.shards_of(settings):
            why = "" if settings.database_url else ", for TAPTRADE_DATABASE_URL is not set"
            raise DatabaseUnsafe(f"the house has no shard {shard}{why}; `taptrade shards` lists those that it has")
        client = connect(redis_url or settings.redis_url, block_s=IDLE_WAIT_S)
        wait_until_ready(client, time.sleep)  # the writer names itself to Redis as soon as it is made
        clock = SystemClock()
        spare = Spare(stand_by, client, clock, machine_of(settings), shard) if stand_by else None
        waiting = spare if settings.database_url else stand_by
        process = begun(
            settings, shard, waiting, lambda database: WriterProcess(settings, client, database, clock, shard)
        )
        stop_on_signals(process.stopping)
        # What start-up left stays; what a commit leaves has no cycles.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            process.run()
        except AnotherWriter:
            logger.exception("stopping: the database has another writer")
            raise
