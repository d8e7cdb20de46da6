"""The writer's iteration: a slice of commands, a batch of bets, a slice of settlement, each a commit and its events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import msgspec

from jobs.writer.apply import apply
from jobs.writer.book import Book
from jobs.writer.counts import begin, count
from jobs.writer.foresight import foresee
from jobs.writer.gestures import each_bet, each_outcome
from jobs.writer.inbox import Inbox, TakenJob
from jobs.writer.place import place_bets
from jobs.writer.publish import publish
from jobs.writer.ripeness import part_ripe
from jobs.writer.rules import WriterRules
from jobs.writer.settle import Settlement
from jobs.writer.share import Share
from runtime.game.columns import Column
from runtime.game.ledger import Commit
from runtime.game.rows import LedgerBroken
from runtime.game.ticks import Tick
from runtime.messaging.commands import BETS, ForgetPlayer, Outcome
from runtime.messaging.connection import Redis
from runtime.messaging.redis_values import decode_tick
from runtime.metrics.table import Metrics
from runtime.storage.database import AnotherWrites, DatabaseError, OperationalError

logger = logging.getLogger(__name__)

SMOOTHED_OVER = 8
RIPE_WAIT_S = 0.02
"""How often the newest tick is looked at while bets wait for one and there is nothing else to do."""


class Stuck(Exception):
    """The database takes no writes right now (locked, full, failing); nothing was lost, try again."""


@dataclass(slots=True)
class Writer:
    """Turn taken jobs into commits.

    `held` are jobs that are taken and not committed: they go first. `aside` are those whose bets wait for a tick from
    after their fill delay: others pass them. Both are with the started ones in Redis, where the next writer finds them.
    """

    client: Redis
    book: Book
    inbox: Inbox
    rules: WriterRules
    metrics: Metrics = field(default_factory=lambda: Metrics("writer"))
    settlement: Settlement = field(init=False)
    held: list[TakenJob] = field(default_factory=list)
    aside: list[TakenJob] = field(default_factory=list)
    collected_ms: int = 0
    """When the last look at the queues brought its answer, on the monotonic clock."""
    placing: float = 0.0
    """Bets that an iteration places, smoothed over the last ones."""
    _more: bool = False
    _unsure: bool = False
    """What is known by heart may not be what was committed."""
    _began_columns: bool = False
    """They are taken up at the start of an iteration: if that reading fails, no job that is committed has failed."""
    on_erasure: Callable[[], None] = lambda: None
    """What follows the commit by which a player was forgotten, before that is answered."""
    _forgot: bool = False
    _unpublished: list[Callable[[], None]] = field(default_factory=list)

    share: Share | None = field(init=False)
    """What is asked of the house before commits; None where this is its only writer."""

    def __post_init__(self) -> None:
        self.share = None if self.book.house is None else Share(self.book, self.book.house, self.rules)
        self.settlement = Settlement(self.book, self.rules.grid, self.rules.model)
        self.settlement.standings.tell(self.metrics)
        begin(self.metrics, self.book.exposure)

    def run_once(self, wait_s: float = 0) -> bool:
        """Do what waits, once round; with nothing to do, wait for it. Raise Stuck or an outage of Redis.

        Return whether there was anything.
        """
        self.publish()
        if self._unsure:
            self.book.reload()
            self.settlement.reload()
            self._unsure = False
        if self._began_columns:
            self.settlement.look()
            self._began_columns = False
        idle = not (self.held or self._more or self.settlement.open)
        if self.aside:
            wait_s = min(wait_s, RIPE_WAIT_S)
        held, self.held = self.held, []
        try:
            found = self.inbox.collect(self.book.now_ms(), wait_s=wait_s if idle else 0)
        except BaseException:
            self.held = held
            raise
        self._more = found.more
        self.collected_ms = self.book.clock.monotonic_ms()
        tick = self._newest_tick(found.tick)
        bets = [*(job for job in held if self.inbox.is_for_bets(job)), *found.bets]
        commands = [job for job in held if not self.inbox.is_for_bets(job)]
        self._each([commands, found.commands], lambda jobs: self._run(jobs, tick), behind=bets)
        patience_ms = self.rules.max_fill_age_ms
        bets, self.aside = part_ripe([*self.aside, *bets], tick, self.book.now_ms(), patience_ms)
        self.placing += (sum(job.commands for job in bets) - self.placing) / SMOOTHED_OVER
        settles = bool(self.settlement.open)
        self._run(bets, tick, settles=settles)
        if self.share is not None and not self._more:
            with self._stuck_with([]):
                self.share.after()
        return bool(found.commands or found.bets or bets or settles or self._began_columns)

    @property
    def leaves_jobs(self) -> bool:
        """Tell whether the last look at the queues left jobs there, since it takes only so many."""
        return self._more

    @property
    def gathers(self) -> bool:
        """Tell whether the next iteration may wait for bets to gather: none waits, and settlement has its own pace."""
        return not (self.held or self._more) and (self.placing >= 1 or not self.settlement.open)

    def _each(
        self,
        groups: list[list[TakenJob]],
        work: Callable[[list[TakenJob]], None],
        behind: Sequence[TakenJob] = (),
    ) -> None:
        """Work on one group after the other; what comes behind one that fails is held for the next iteration."""
        for at, jobs in enumerate(groups):
            try:
                work(jobs)
            except BaseException:
                self.held += [*(job for group in groups[at + 1 :] for job in group), *behind]
                raise

    def _run(self, jobs: list[TakenJob], tick: Tick | None, *, settles: bool = False) -> None:
        readable = []
        for job in jobs:
            if job.batch is None:
                self._fail(job, job.reason)
            else:
                readable.append(job)
        if readable and self.share is not None:
            with self._stuck_with(readable):
                readable = self.share.before(readable, tick)
        if readable or settles:
            self._commit(readable, tick, settles=settles)

    @contextmanager
    def _stuck_with(self, jobs: list[TakenJob]) -> Iterator[None]:
        """Hold jobs for the next iteration where the database fails, and read then what is known by heart."""
        try:
            yield
        except AnotherWrites:
            raise
        except OperationalError as ex:
            # Where the connection was lost with it, what was asked for may have been done or not.
            self.held = jobs + self.held
            self._unsure = True
            raise Stuck(str(ex)) from ex

    def _fail(self, job: TakenJob, reason: str) -> None:
        self.metrics.count("taptrade_jobs_failed_total")
        self.inbox.fail(job, reason)

    def _newest_tick(self, data: bytes | None) -> Tick | None:
        if data is None:
            return None
        tick = decode_tick(data)
        self.book.newest_tick_ms = max(self.book.newest_tick_ms, tick.id)
        return tick

    def _commit(self, jobs: list[TakenJob], tick: Tick | None, *, settles: bool = False) -> None:
        """Commit jobs together; if that fails for a reason of theirs, one by one, so that one spoils no other.

        A slice of settlement shares the commit, and so the wait for the disk.
        """
        to_settle: Callable[[], Sequence[int]] = partial(self.settlement.next_bets, self.placing) if settles else list

        def work(commit: Commit) -> list[tuple[TakenJob, list[Outcome]]]:
            foresee(commit, self.book, self.rules.grid, jobs, to_settle)
            outcomes = [(job, self._apply(commit, job, tick)) for job in jobs]
            if settles:
                self.settlement.slice(commit, beside=self.placing)
            return outcomes

        try:
            self._attempt(jobs, work)
        except AnotherWrites:
            # They stay begun and not ended, for the one at work to take up.
            raise
        except (DatabaseError, LedgerBroken, msgspec.MsgspecError, ValueError, KeyError) as ex:
            if not jobs:
                raise
            if len(jobs) == 1 and not settles:
                logger.exception("job %s cannot be committed", jobs[0].id)
                self._fail(jobs[0], f"{type(ex).__name__}: {ex}")
                return
            self._each([[job] for job in jobs], lambda one: self._commit(one, tick))

    def _attempt(self, jobs: list[TakenJob], work: Callable[[Commit], list[tuple[TakenJob, list[Outcome]]]]) -> None:
        answers: dict[str, list[Outcome]] = {}
        written: list[Commit] = []
        began_ms = self.book.clock.monotonic_ms()
        try:
            with self._stuck_with(jobs), self.book.commit(written.append) as commit:
                for job, outcomes in work(commit):
                    answers.setdefault(job.batch.origin if job.batch else "", []).extend(outcomes)
        except (AnotherWrites, Stuck):
            raise
        except BaseException:
            self.settlement.reload()
            raise
        if self._forgot:
            self._forgot = False
            self.on_erasure()
        # The commit stands: from here on nothing may be done again, only told. If Redis is away, it is told later.
        told = None if written[0].is_empty else written[0]
        self._unpublished.append(lambda: publish(self.client, self.inbox, told, jobs, answers))
        count(self.metrics, self.book.exposure, written[0], self.book.clock.monotonic_ms() - began_ms)
        self.settlement.standings.tell(self.metrics)
        if any(isinstance(item.content, Column) for item in written[0].events):
            self._began_columns = True
        self.publish()

    def publish(self) -> None:
        """Tell of what was committed and could not be told."""
        while self._unpublished:
            self._unpublished[0]()
            self._unpublished.pop(0)

    def _apply(self, commit: Commit, job: TakenJob, tick: Tick | None) -> list[Outcome]:
        commands = job.batch.commands if job.batch else []
        bets = [command for command in commands if isinstance(command, BETS)]
        outcomes: list[Outcome] = []
        if bets:
            placed = place_bets(
                commit,
                self.rules.judge(commit, self.book, tick, self.settlement.standings.closed),
                self.book.seals,
                each_bet(bets),
            )
            outcomes = each_outcome(bets, placed)
        for command in commands:
            if not isinstance(command, BETS):
                outcomes.append(apply(commit, self.book, self.settlement, self.rules, command))
                self._forgot |= isinstance(command, ForgetPlayer)
        return outcomes
