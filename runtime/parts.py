"""The shared parts that wiring builds once a process, and that functions find at `call.parts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.auth.operators import OperatorSessions
from runtime.auth.sessions import Sessions
from runtime.background import Background
from runtime.betting.admission import AdmissionControl
from runtime.betting.fate import Fates
from runtime.betting.intake import Intake
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.game.grid import GridRules
from runtime.game.rewards import RewardModel
from runtime.health.writer_watch import WriterWatch
from runtime.history.past import Past
from runtime.market.state import Market
from runtime.messaging.commands import AnyCommand, Outcome
from runtime.messaging.connection import Redis
from runtime.messaging.outbox import Outbox
from runtime.postgresql import choice
from runtime.records.sittings import Sittings
from runtime.settings import Settings
from runtime.storage.read_pool import ReadPool
from runtime.stream.hub import Hub


class Submitter(Protocol):
    """Hand a command to a writer and wait for what becomes of it."""

    def submit(self, command: AnyCommand) -> Outcome | None:
        """Return the outcome, None if it did not come in time."""
        ...


class Routes:
    """How a process of the API finds the ledger that is asked for: the house has one, or several."""

    __slots__ = ()
    pool: ReadPool
    outbox: Submitter
    shards: Sequence[Any] = ()
    """The parts for each ledger of a house that has several; empty where there is one."""

    def of_shard(self, shard: int) -> Any:
        """Return the parts of one ledger; raise Unavailable for one that came after this process began."""
        if shard > max(1, len(self.shards)):
            raise Unavailable("This process does not know of that ledger yet.", retry_after_s=5)
        if not self.shards:
            return self
        return self.shards[shard - 1]

    def shard_for(self, key: str) -> int:
        """Return the shard of whoever signs in by a key; of a key that is new, the one with the fewest accounts."""
        if not self.shards:
            return 1
        execute = self.pool.execute
        return choice.owner_of(execute, key) or choice.emptiest(execute, len(self.shards))

    def submit_to(self, shard: int, command: AnyCommand) -> Outcome | None:
        """Hand a command to a shard's writer; return what becomes of it, None if it did not come in time."""
        outcome: Outcome | None = self.of_shard(shard).outbox.submit(command)
        return outcome


@dataclass(frozen=True, slots=True)
class Parts(Routes):
    """Everything a function may need."""

    settings: Settings
    clock: Clock
    background: Background
    redis: Redis
    pool: ReadPool
    past: Past
    ticks_pool: ReadPool
    outbox: Outbox
    admission: AdmissionControl
    sessions: Sessions
    operators: OperatorSessions
    sittings: Sittings
    market: Market
    hub: Hub
    writer_watch: WriterWatch
    model: RewardModel
    rules: GridRules
    intake: Intake
    fates: Fates
    run_id: str
    """Names this process's life; the writer answers to it."""
    shards: Sequence[Parts] = ()
    """What is not asked for by a session reads about all of them."""

    def guard_writers(self) -> None:
        """Raise Unavailable while every writer is in trouble; of one in several its own players are told."""
        watches = [one.writer_watch for one in self.shards] or [self.writer_watch]
        if all(watch.trouble for watch in watches):
            watches[0].guard()
