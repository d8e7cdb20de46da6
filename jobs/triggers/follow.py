"""Tell a function of events, at least once and in order: of commits from the database, of the breaker from the bus.

The position is kept after a commit's events were told, so who dies in between tells them again, with the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from jobs.triggers.attempts import Attempts, FunctionFailed, Stopping
from jobs.triggers.positions import Position, Positions, position_of
from runtime.clock import Clock
from runtime.messaging.bus import START, newest_public_id, oldest_public_id, order, public_between
from runtime.messaging.connection import OUTAGES
from runtime.messaging.redis_keys import BREAKER as BREAKER_KEY
from runtime.messaging.redis_values import decode_breaker
from runtime.metrics.table import Metrics
from runtime.records.events import events_of_commit, last_commit
from runtime.records.views import BetEvent, ColumnEvent, CommittedEvent
from runtime.triggers.declaration import Trigger
from runtime.triggers.kinds import BREAKER, COLUMN, COMMITTED
from runtime.triggers.run import Bench, Event, Run

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
LOOK_UNWANTED_EVERY_S = 0.25
"""The same while nobody wants a function's events: webhooks without a subscription."""
KEEP_EVERY_MS = 1_000
"""How often a position is kept that nothing was told of on the way to."""


class Follower:
    """One function, and how far it was told of the events of one shard; with those of the first, of the breaker's."""

    def __init__(
        self,
        trigger: Trigger,
        bench: Bench,
        positions: Positions,
        attempts: Attempts,
        metrics: Metrics,
        shard: int = 1,
    ) -> None:
        self._execute = bench.ledger(shard).execute
        self._hears_breaker = shard == 1
        self._label = position_of(trigger.name, shard)
        self._trigger = trigger
        self._bench = bench
        self._positions = positions
        self._attempts = attempts
        self._metrics = metrics
        self._clock: Clock = bench.clock
        self._at = positions.begin(self._now())
        self._kept = self._at
        self._kept_ms = 0.0
        self._is_wanted = True

    def _now(self) -> Position:
        """Return where the house stands: a function that is new is told of what comes."""
        return Position(last_commit(self._execute), self._newest_public_id(), self._breaker()[1])

    def run(self, stopping: Stopping) -> None:
        """Follow until the process stops."""
        while not stopping.wait(0):
            if not self.look(stopping):
                stopping.wait(LOOK_EVERY_S if self._is_wanted else LOOK_UNWANTED_EVERY_S)

    def look(self, stopping: Stopping) -> bool:
        """Tell of the next commit, if there is one, and of the breaker; return whether there may be more at once."""
        kinds, before = self._kinds(), self._at.commit
        self._is_wanted = bool(kinds)
        newest = last_commit(self._execute)
        self._metrics.set("taptrade_function_commits_behind", max(0, newest - self._at.commit), self._label)
        told = False
        if BREAKER in kinds and self._hears_breaker:
            told = self._tell_of_breaker(stopping)
        if not kinds & COMMITTED:
            self._at = Position(newest, self._at.public_id, self._at.breaker)
        elif self._at.commit < newest:
            told |= self._tell_of_commit(self._at.commit + 1, kinds, stopping)
        self._keep(told)
        return before < self._at.commit < newest and not stopping.wait(0)

    def _kinds(self) -> frozenset[str]:
        wanted = self._trigger.wanted
        if wanted is None:
            return self._trigger.kinds
        return self._trigger.kinds & frozenset(wanted(Run(self._trigger.name, "", None, self._bench)))

    def _tell_of_commit(self, number: int, kinds: Collection[str], stopping: Stopping) -> bool:
        told = False
        for event in told_of(events_of_commit(self._execute, number)):
            if event.kind in kinds:
                if not self._tell(event, stopping):
                    return told
                told = True
        self._at = Position(number, self._at.public_id, self._at.breaker)
        return told

    def _tell(self, event: Event, stopping: Stopping) -> bool:
        """Tell of one event, as often as it may be tried, then set it aside; False where the process stops."""
        name = self._trigger.name
        try:
            self._attempts.all(self._trigger, lambda attempt: Run(name, event.id, event, self._bench, attempt))
        except FunctionFailed as ex:
            # While Redis is away it is nobody's fault: the commit is told again once it is back.
            if stopping.wait(0) or isinstance(ex.__cause__, OUTAGES):
                return False
            said = f"{name} cannot take event {event.id}, which is set aside: {ex}"
            logger.error(said)  # noqa: TRY400  each attempt has logged its traceback
            self._positions.set_aside(event, str(ex), self._clock.now_ms())
        return True

    def _tell_of_breaker(self, stopping: Stopping) -> bool:
        """Tell of the changes on the bus since the last look; of one whose entry is gone, as the breaker is now."""
        try:
            changes = list(self._changes())
        except OUTAGES:
            return False
        for event, at in changes:
            if event is not None and not self._tell(event, stopping):
                return True
            self._at = at
        return bool(changes)

    def _changes(self) -> Iterator[tuple[Event | None, Position]]:
        data, state = self._breaker()
        if state == self._at.breaker:
            return
        newest, since = self._newest_public_id(), self._at.public_id
        oldest = oldest_public_id(self._bench.redis) or START
        lost = order(newest) < order(since) or order(oldest) > order(since)
        last: Position = self._at
        for entry in public_between(self._bench.redis, START if lost else since, newest):
            if entry.type == "status":
                told = decode_breaker(entry.data)
                last = Position(self._at.commit, entry.id, told.state.value)
                yield Event(entry.id, BREAKER, None, msgspec.json.decode(entry.data)), last
        if last.breaker != state:
            yield Event(f"breaker-{data['since_ms']}", BREAKER, None, data), Position(self._at.commit, newest, state)
        else:
            yield None, Position(self._at.commit, newest, state)

    def _breaker(self) -> tuple[dict[str, Any], str]:
        stored: Any = self._bench.redis.get(BREAKER_KEY)
        breaker = decode_breaker(stored)
        return breaker.to_dict(), breaker.state.value

    def _newest_public_id(self) -> str:
        return newest_public_id(self._bench.redis)

    def _keep(self, told: bool) -> None:
        now_ms = self._clock.monotonic_ms()
        if self._at != self._kept and (told or now_ms - self._kept_ms >= KEEP_EVERY_MS):
            self._positions.move(self._at)
            self._kept, self._kept_ms = self._at, now_ms


def told_of(told: list[CommittedEvent]) -> Iterator[Event]:
    """Return a commit's events as functions see them; what moves a balance they learn from the bets."""
    for one in told:
        match one.data:
            case BetEvent() as bet:
                yield Event(bet.event_id, f"bet.{bet.status}", one.user, msgspec.to_builtins(bet))
            case ColumnEvent() as column:
                yield Event(column.event_id, COLUMN, None, msgspec.to_builtins(column))
