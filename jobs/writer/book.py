"""The writer's view of the database: the last commit, the next numbers, what is open; and how a commit begins."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from jobs.writer.day_totals import DayTotals
from jobs.writer.seals import Seals
from runtime.clock import Clock
from runtime.game.chain import GENESIS
from runtime.game.leases import LeasedExposure
from runtime.game.ledger import SQL, Commit
from runtime.game.limit_changes import LimitsChange
from runtime.game.limits import Exposure, PlayerLimits, RiskLimits
from runtime.game.money import payout_cents
from runtime.game.row_numbers import RowNumbers
from runtime.postgresql import choice
from runtime.storage import canonical
from runtime.storage.database import Database, OperationalError, Row


class AnotherWriter(Exception):
    """The database was written by somebody else: this writer must stop before it decides on old knowledge."""


class Book:
    """What the writer knows by heart; `reload` learns it anew after a roll-back."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        risk: RiskLimits,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        commit_type: type[Commit] = Commit,
    ) -> None:
        """`commit_type` writes commits as the database's engine takes them."""
        self.database = database
        self._commit_type = commit_type
        self.forgets = commit_type.forgets
        self.seals = Seals(database, random_bytes)
        self.day_totals = DayTotals(database.execute)
        self.numbers = RowNumbers()
        self.house = choice.house_of(database)
        """What is shared with the writers of other shards; None where there is one ledger."""
        self.clock = clock
        self.risk = risk
        self.newest_tick_ms = 0
        self.committed_ms = 0
        self.told_ms = 0
        """What others were told of the time: nothing is committed as of before."""
        self.reload()

    def reload(self) -> None:
        """Read everything from the database."""
        rows = self.database.execute(SQL["last_commit"])
        self.number, self.committed_ms, self.hash = rows[0] if rows else (0, 0, GENESIS)
        self.next_seq: int = self.database.execute(SQL["last_bet_seq"])[0][0] + 1
        self.newest_column_s: int = self.database.execute(SQL["newest_column"])[0][0]
        self._epoch = choice.epoch_of(self.database)
        self.exposure = self._exposure()
        for start_s, cell_id, stake_cents, rate_bp, bets in self.database.execute(SQL["open_bets"]):
            self.exposure.add(start_s, cell_id, bets * payout_cents(stake_cents, rate_bp))
        self._limits: dict[str, list[LimitsChange]] = {}
        self.seals.clear()
        self.day_totals.clear()
        self.numbers.clear()

    def _exposure(self) -> Exposure:
        if self.house is None:
            return Exposure(self.risk)
        return LeasedExposure(self.risk, self.house.shards, self.house.leases())

    def require_same_epoch(self) -> None:
        """Raise OperationalError where the connection was made anew: who wrote meanwhile may have moved the leases."""
        if isinstance(self.exposure, LeasedExposure) and choice.epoch_of(self.database) != self._epoch:
            raise OperationalError("the connection was made anew, and what is known by heart is from before")

    def now_ms(self) -> int:
        """Return the writer's clock: it never steps back, whatever the wall clock does."""
        return max(self.clock.now_ms(), self.committed_ms, self.newest_tick_ms, self.told_ms)

    def open_from_s(self) -> int:
        """Return a column before which no bet is open, nor ever will be: bets go after the newest that has begun."""
        return self.exposure.first_column_s(self.newest_column_s + 1)

    def limits_of(self, user_id: str) -> list[LimitsChange]:
        """Return the changes of a player's own limits that count or will, kept in memory."""
        if user_id not in self._limits:
            self.keep_limits(user_id, self.database.execute(SQL["limits_of_user"], (user_id, user_id, self.now_ms())))
        return self._limits[user_id]

    def knows_limits(self, user_id: str) -> bool:
        """Tell whether a player's limits are in memory."""
        return user_id in self._limits

    def keep_limits(self, user_id: str, rows: Sequence[Row]) -> None:
        """Keep in memory what the database says of a player's limits."""
        self._limits[user_id] = [LimitsChange(PlayerLimits(*row[:-1]), row[-1]) for row in rows]

    def forget_limits(self, user_id: str) -> None:
        """Read a player's limits again at their next bet."""
        self._limits.pop(user_id, None)

    @contextmanager
    def commit(self, on_written: Callable[[Commit], None]) -> Iterator[Commit]:
        """Open the next commit; at the end of the block it is written, unless it is empty or the block raised.

        `on_written` runs after COMMIT. Whatever fails before leaves the database as it was, and this knowledge is
        read anew, since the block may have counted what was then rolled back.
        """
        try:
            with self.database.transaction():
                rows = self.database.execute(SQL["last_commit"])
                if rows and rows[0][0] != self.number:
                    raise AnotherWriter(f"commit {rows[0][0]} is not ours; we know of {self.number}")
                self.require_same_epoch()
                self.numbers.trim()
                commit = self._commit_type(
                    self.database,
                    self.number + 1,
                    self.hash,
                    self.now_ms(),
                    self.next_seq,
                    canonical.encode,
                    self.numbers,
                )
                yield commit
                if not commit.is_empty:
                    commit.close()
        except BaseException:
            self.reload()
            raise
        if not commit.is_empty:
            self.number, self.hash, self.committed_ms = commit.number, commit.hash, commit.now_ms
            self.next_seq = commit.next_seq
        on_written(commit)
