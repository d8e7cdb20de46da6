"""A settler before a writer's desk, with the ticks that it judges by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from jobs.settlement.settler import Settler
from runtime.clock import ManualClock
from runtime.game.breaker import Breaker, Override, State
from runtime.messaging import queues
from runtime.messaging.redis_keys import BREAKER
from runtime.postgresql import choice
from runtime.storage import ticks_store
from runtime.storage.database import Database, open_reader, open_writer
from tests.jobs.writer_desk import PRICE_CENTS, Desk, tick_at

START_S = 1_790_000_015
"""The column that `Desk.bet` takes: three ahead of where the clock stands."""
START_MS = START_S * 1000
END_MS = START_MS + 5_000
GRACE_MS = 1_000


class Court:
    """A settler before a writer's desk, with the ticks that it judges by."""

    def __init__(self, desk: Desk, folder: Path, clock: ManualClock) -> None:
        self.desk = desk
        self.clock = clock
        self.settings = replace(desk.settings, data=folder, redis_url=desk.redis_url)
        assert desk.database_url or self.settings.database == desk.path
        ticks_store.prepare(self.settings.ticks_database, clock)
        self.ticks = open_writer(self.settings.ticks_database)
        self.readers: list[Database] = []
        self.settler = self.open_settler()
        self.breaker(State.HEALTHY)

    def open_settler(self) -> Settler:
        """Return a settler that remembers nothing, as a new process does."""
        live, ticks = choice.open_reader(self.settings), open_reader(self.settings.ticks_database)
        self.readers += [live, ticks]
        return Settler(live, ticks, self.desk.client, self.settings, self.clock)

    def breaker(self, state: State, override: Override = Override.AUTO) -> None:
        """Let the breaker be in `state`."""
        self.desk.client.set(BREAKER, msgspec.json.encode(Breaker(state, 1, None, override).to_dict()))

    def tick(self, ms: int, cents: int = PRICE_CENTS, **changes: Any) -> None:
        """Store a tick."""
        ticks_store.append(self.ticks, tick_at(ms, cents, **changes))

    def path(self, *cents: int, following: bool = True) -> None:
        """Store one tick before the column, one for each price in it, a second apart, and one after it."""
        self.tick(START_MS - 500)
        for index, price in enumerate(cents):
            self.tick(START_MS + 300 + index * 1000, price)
        if following:
            self.tick(END_MS + 200)

    def at(self, ms: int) -> None:
        """Move the clock to `ms`."""
        self.clock.advance(ms - self.clock.now_ms())

    def bet(self, rows: int = 0, columns: int = 3) -> str:
        """Place a bet of 100 on the cell so many rows above the price; its id."""
        user_id = self.desk.player(number=1000 + rows + 50 * columns)
        bet = self.desk.bet(user_id, rows=rows, columns=columns)
        assert self.desk.place(bet)[0].code is None
        return bet.id

    def status(self, bet_id: str) -> str:
        """Return what became of a bet."""
        found: str = self.desk.database.execute("SELECT status FROM bets WHERE id = ?", (bet_id,))[0][0]
        return found

    def waiting(self) -> int:
        """Return how many jobs wait for the writer."""
        count: Any = self.desk.client.llen(queues.QUEUE_PREFIX + queues.COMMANDS)
        return int(count)

    def close(self) -> None:
        """Close the databases."""
        for database in (self.ticks, *self.readers):
            database.close()
