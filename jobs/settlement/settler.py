"""Settlement decides: passed columns with bets, each with its evidence, go to the writer, which settles them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from runtime.audit.roots import ROOTS_FOLDER, Roots
from runtime.clock import Clock, SystemClock
from runtime.game.breaker import delays_settlement
from runtime.game.columns import Evidence
from runtime.game.ledger import SQL
from runtime.game.settlement import SILENCE_MS_MAX, evidence
from runtime.messaging.commands import SettleColumn
from runtime.messaging.connection import Redis, connect
from runtime.messaging.queues import SETTLE, new_id, send_commands
from runtime.messaging.redis_keys import ALIVE_TTL_S, BREAKER, SETTLER_ALIVE
from runtime.messaging.redis_values import decode_breaker
from runtime.messaging.seat import Seat
from runtime.postgresql import choice
from runtime.settings import Settings, load
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_reader
from runtime.triggers import every

logger = logging.getLogger(__name__)

ORIGIN = "settler"
COLUMNS_PER_RUN = 100
RESEND_FIRST_MS = 5_000
RESEND_LAST_MS = 60_000
SETTLEMENT_TTL_MS = 600_000


@every("1 s", name="settle-columns", queue=SETTLE, timeout_s=30, overdue_s=60)
def settle_columns() -> int:
    """Send what can be settled now to the writers; return how many columns that was. An RQ job."""
    return _house().run()


def _say_alive(client: Redis, now_ms: int) -> None:
    client.set(SETTLER_ALIVE, now_ms, ex=ALIVE_TTL_S)


@dataclass(slots=True)
class Sent:
    """When a column was sent to the writer, and how long its row in the database is waited for."""

    at_ms: int
    patience_ms: int = RESEND_FIRST_MS


class Settler:
    """Remember, from run to run, which columns of a shard are through and which are on their way to its writer.

    All of it is a shortcut: a process that starts anew looks at every column that may have open bets once, and sends
    what has no row.
    """

    def __init__(
        self, live: Database, ticks: Database, client: Redis, settings: Settings, clock: Clock, shard: int = 1
    ) -> None:
        self._shard = shard
        self._live = live
        self._ticks = ticks
        self._client = client
        self._width_ms = settings.column_seconds * 1000
        self._grace_ms = settings.settle_grace_ms
        self._clock = clock
        self._seat = Seat(client, settings) if settings.database_url else None
        # A column with bets and without a row has open bets.
        self._through_s: int = live.execute(SQL["open_from"])[0][0] - 1
        self._sent: dict[int, Sent] = {}

    def run(self) -> int:
        """Decide every column that has passed, and send those that are decided."""
        now_ms = self._clock.now_ms()
        _say_alive(self._client, now_ms)
        waiting = self._waiting((now_ms - self._grace_ms - self._width_ms) // 1000)
        due = [start_s for start_s in waiting if self._may_send(start_s)][:COLUMNS_PER_RUN]
        if not due:
            return 0
        delayed = self._results_are_delayed()
        commands = []
        for start_s in due:
            found = self._decide(start_s, now_ms)
            if found is not None and not (delayed and found.covered):
                commands.append(_command(found, now_ms))
        if self._seat is not None and self._seat.is_anothers():
            # The ticks of another machine decide; ours may have ended before it took over.
            return 0
        send_commands(self._client, commands, ORIGIN, now_ms, shard=self._shard)
        for command in commands:
            self._remember(command.start_s)
            logger.info("column %d: %s", command.start_s, command.reason or f"{command.low} to {command.high}")
        return len(commands)

    def _waiting(self, upto_s: int) -> list[int]:
        """Return the columns up to `upto_s` that have bets but no row, oldest first, at most one run's."""
        waiting: list[int] = []
        after_s = self._through_s
        while len(waiting) < COLUMNS_PER_RUN:
            page = self._live.execute(SQL["columns_with_bets"], (after_s, upto_s, upto_s))
            if not page:
                break
            waiting += [start_s for start_s, begun in page if not begun]
            after_s = page[-1][0]
            # No bet is ever placed on a column that has passed, so what is through stays through.
            self._through_s = waiting[0] - 1 if waiting else after_s
        self._sent = {start_s: sent for start_s, sent in self._sent.items() if start_s > self._through_s}
        return waiting

    def _decide(self, start_s: int, now_ms: int) -> Evidence | None:
        start_ms = start_s * 1000
        end_ms = start_ms + self._width_ms
        with self._ticks.snapshot():
            carried, ticks, following = ticks_store.window(self._ticks, start_ms, end_ms)
        # Ids of ticks only rise, so once a later one is stored the window can never change again.
        if following is None and now_ms - end_ms < SILENCE_MS_MAX:
            return None
        return evidence(carried, ticks, following, start_ms, end_ms, now_ms)

    def _results_are_delayed(self) -> bool:
        """Tell whether won and lost wait; without a word of the breaker's they do, a second or two."""
        stored: Any = self._client.get(BREAKER)
        return stored is None or delays_settlement(decode_breaker(stored))

    def _may_send(self, start_s: int) -> bool:
        sent = self._sent.get(start_s)
        return sent is None or self._clock.monotonic_ms() - sent.at_ms >= sent.patience_ms

    def _remember(self, start_s: int) -> None:
        """Wait for the writer, longer each time: sending again is harmless, but a writer that is down needs no heap."""
        now_ms = self._clock.monotonic_ms()
        sent = self._sent.get(start_s)
        patience_ms = RESEND_FIRST_MS if sent is None else min(2 * sent.patience_ms, RESEND_LAST_MS)
        self._sent[start_s] = Sent(now_ms, patience_ms)


def _command(found: Evidence, now_ms: int) -> SettleColumn:
    evidence_fields = asdict(found)
    return SettleColumn(
        id=new_id(now_ms), received_ms=now_ms, decided_by_ms=now_ms + SETTLEMENT_TTL_MS, **evidence_fields
    )


class House:
    """All shards that there are, each with a settler of its own; their connections stay open from job to job."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._ticks, self._client = open_reader(settings.ticks_database), connect(settings.redis_url)
        self._first = choice.open_reader(settings, 1)
        self._settlers: list[Settler] = []
        self._keep_root: Callable[[], None] | None = None

    def run(self) -> int:
        """Settle what can be settled now in all of them; return how many columns that was."""
        shards = choice.count_shards(self._settings, self._first.execute)
        for shard in range(len(self._settlers) + 1, shards + 1):
            self._settlers.append(self._settler(shard))
        if shards > 1 and self._keep_root is None:
            self._keep_root = _root_keeper(self._settings, self._clock)
        sent = sum([settler.run() for settler in self._settlers])
        if self._keep_root is not None:
            self._keep_root()
        return sent

    def _settler(self, shard: int) -> Settler:
        live = self._first if shard == 1 else choice.open_reader(self._settings, shard)
        return Settler(live, self._ticks, self._client, self._settings, self._clock, shard)


def _root_keeper(settings: Settings, clock: Clock) -> Callable[[], None]:
    """Return what keeps the root over the chains of several shards outside the database."""
    reader, roots = choice.open_reader(settings), Roots(settings.data / ROOTS_FOLDER)

    def keep() -> None:
        heads = choice.heads(reader)
        if heads is not None:
            roots.keep(heads, clock.now_ms())

    return keep


@cache
def _house() -> House:
    """Return this process's."""
    return House(load(), SystemClock())
