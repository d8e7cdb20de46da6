"""Read-only queries that never stop the process: off the event loop, one indexed page each, cut off at 50 ms."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from runtime.clock import Clock
from runtime.errors import Refusal, Unavailable
from runtime.game.player_entries import Execute
from runtime.storage.database import Database, OperationalError, Row, open_reader

logger = logging.getLogger(__name__)

READ_MS_MAX = 50
CONNECTIONS_MAX = 8
MISTAKEN = "(code=1, "
"""What SQLite says of a statement that it does not understand: asked again, it says the same."""
T = TypeVar("T")
Apply = Callable[[Callable[[], T]], T]


def directly(work: Callable[[], T]) -> T:
    """Run `work` here; under gevent a pool of threads takes its place."""
    return work()


class Limited:
    """One read-only connection with the deadline of the query that it runs."""

    database: Database

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.deadline_ms = 0

    def is_late(self) -> bool:
        """Tell whether the query has taken all its time."""
        return self.clock.monotonic_ms() > self.deadline_ms

    def is_sound(self) -> bool:
        """Tell whether a connection can be used again whose query failed."""
        # After an interrupt or an I/O error a fresh one costs less than a doubt.
        return False


class _Connection(Limited):
    """One to a file, whose queries are interrupted."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(clock)
        database = open_reader(path)
        database.interrupt_when(self.is_late)
        self.database = database


class ReadPool:
    """A few read-only connections to one database file, each used by one query at a time."""

    def __init__(self, path: Path, clock: Clock, apply: Apply[Any] = directly) -> None:
        self._path = path
        self._clock = clock
        self._apply = apply
        self._idle: list[Limited] = []

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return rows by column name; raise Unavailable if the query takes too long or the file cannot be read."""
        return self._ask(lambda database: database.dicts(sql, params))

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Return rows as tuples, under the same limits as `rows`."""
        return self._ask(lambda database: database.execute(sql, params))

    def together(self, work: Callable[[Execute], T]) -> T:
        """Run several queries on one state of the database, all within one limit; `work` runs in another thread."""

        def at_once(database: Database) -> T:
            with database.snapshot():
                return work(database.execute)

        return self._ask(at_once)

    def _ask(self, work: Callable[[Database], T]) -> T:
        """Run `work` in another thread and return or raise here what came of it."""
        found: tuple[T] | Exception = self._apply(lambda: self._outcome(work))
        if isinstance(found, tuple):
            return found[0]
        try:
            raise found
        finally:
            del found  # its traceback leads here, and a cycle would be left to the garbage collector

    def _outcome(self, work: Callable[[Database], T]) -> tuple[T] | Exception:
        """Return what `work` raises: gevent writes a traceback to stderr for each error that leaves a pool's thread."""
        try:
            return (self._run(work),)
        except OperationalError as ex:
            if MISTAKEN in str(ex):
                return ex
            logger.warning("a query was given up: %s", ex)
            return Unavailable("The database could not be read in time.", retry_after_s=1)
        except Exception as ex:  # noqa: BLE001  whatever it is, it is raised where the answer is waited for
            return ex

    def _run(self, work: Callable[[Database], T]) -> T:
        connection = self._take()
        connection.deadline_ms = self._clock.monotonic_ms() + READ_MS_MAX
        has_answered = False
        try:
            answer = work(connection.database)
            has_answered = True
        except Refusal:
            has_answered = True
            raise
        finally:
            if (has_answered or connection.is_sound()) and len(self._idle) < CONNECTIONS_MAX:
                self._idle.append(connection)
            else:
                # Left to the garbage collector it would stay open for long: it and its deadline know each other, and a
                # process that serves looks for cycles rarely.
                connection.database.close()
        return answer

    def _take(self) -> Limited:
        try:
            return self._idle.pop()
        except IndexError:  # asked for, not looked at before: another thread may take the last one in between
            return self._connect()

    def _connect(self) -> Limited:
        return _Connection(self._path, self._clock)

    def close(self) -> None:
        """Let go of the connections that nobody uses."""
        while self._idle:
            self._idle.pop().database.close()
