"""A connection to the ledger on PostgreSQL, under the methods and errors of one to SQLite."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from runtime.postgresql.guards import faults
from runtime.postgresql.session import PatientConnection, begin_epoch, count_shards, go_to, require_fit, told
from runtime.postgresql.translation import OWN, translated
from runtime.postgresql.types import register, register_sealed
from runtime.storage.connection import Row
from runtime.storage.database import DatabaseError, OperationalError

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 2_000
AS_WRITTEN = (
    *("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"),
    *("enable_material", "enable_memoize", "enable_parallel_append", "jit"),
)
"""What the planner must not use: the statements of pages and commits are looks into indexes, one after the other in the
order in which they are written, and must be that on tables of every size, with figures about them or without."""
PREPARE = "; ".join((*(f"SET {name} = off" for name in AS_WRITTEN), "SET join_collapse_limit = 1"))
FOR_WALKS = "; ".join((*(f"SET LOCAL {name} = on" for name in AS_WRITTEN[:4]), "SET LOCAL cursor_tuple_fraction = 1"))
FOR_PAGES = "; ".join(f"SET LOCAL {name} = off" for name in AS_WRITTEN[:4])
READ_ONLY = "SET default_transaction_read_only = on"
WRITING = "SET synchronous_commit = on; SET plan_cache_mode = force_generic_plan"
"""A commit that is answered is on the disk, and on the standby's where there is a synchronous one."""


Asked = tuple[str, Sequence[Any]]
"""A statement and its parameters."""


class PostgresDatabase:
    """One connection to the database that a URL names; not to be shared by two users at the same time.

    One that was lost is made anew at the next transaction, or at the next statement outside of one.
    """

    def __init__(
        self,
        url: str,
        *,
        prepare: str = READ_ONLY,
        lock: bool = False,
        patience_s: float | None = None,
        shard: int = 1,
    ) -> None:
        """`prepare` sets up the session; with `lock` it is that of the shard's one writer, or raises AnotherWrites.

        A server that does not answer for `patience_s` is given up. WHOLE for `shard` reads about all of them.
        """
        self._url = url
        self._patience_s = patience_s
        self.shard = shard
        self.shards: int | None = None
        """How many the house has; the writer's connection knows."""
        self.epoch: int | None = None
        """The writer's: no commit of another one is made in it."""
        self._prepare = f"{PREPARE}; {prepare}"
        self._is_reader = prepare.startswith(READ_ONLY)
        self._lock = lock
        self._cursors = 0
        self._is_inside = False
        self._begin = ""
        """How the transaction begins that nothing was asked in yet."""
        self._due: list[Asked] = []
        self._foreseen: dict[tuple[str, tuple[Any, ...]], list[Row]] = {}
        self._connection = self._connected()

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return all its rows; one that was foreseen in this transaction was answered already."""
        if self._foreseen and (rows := self._foreseen.pop((sql, tuple(params)), None)) is not None:
            return rows
        try:
            cursor = self._asked(translated(sql), params)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as ex:
            raise told(ex) from ex

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`; for writes whose answer nobody needs."""
        try:
            self._ready().cursor().executemany(translated(sql), rows)
        except psycopg.Error as ex:
            raise told(ex) from ex

    def iterate(self, sql: str, params: Sequence[Any] = ()) -> Iterator[Row]:
        """Run one statement and yield its rows as they are read: within a snapshot by a cursor of the server's."""
        connection = self._ready()
        if connection.info.transaction_status == TransactionStatus.IDLE:
            yield from self.execute(sql, params)
            return
        self._cursors += 1
        try:
            with connection.cursor(name=f"walk_{self._cursors}") as cursor:
                cursor.itersize = ROWS_AT_ONCE
                # A walk over whole tables is planned as such.
                connection.execute(FOR_WALKS)
                cursor.execute(translated(sql), params)
                connection.execute(FOR_PAGES)
                yield from cursor
        except psycopg.Error as ex:
            raise told(ex) from ex

    def dicts(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run one statement and return its rows by column name."""
        try:
            cursor = self._asked(translated(sql), params)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        except psycopg.Error as ex:
            raise told(ex) from ex

    def foresee(self, asked: Sequence[Asked]) -> list[list[Row]]:
        """Run statements in one round trip; return the rows of each, which whoever asks the same gets from here."""
        try:
            answers = [cursor.fetchall() for cursor in self._together(asked)]
        except psycopg.Error as ex:
            raise told(ex) from ex
        self._foreseen.update({(sql, tuple(params)): rows for (sql, params), rows in zip(asked, answers, strict=True)})
        return answers

    def unhurried(self, asked: Sequence[Asked]) -> list[list[Row]]:
        """Run statements in one transaction and round trip, which does not wait for the disk; return the rows of each.

        Whatever is committed later is on the disk only once this is.
        """
        with self._within("BEGIN"):
            try:
                found = self._together([(OWN["unhurried"], ()), *asked, ("COMMIT", ())])
                return [cursor.fetchall() for cursor in found[1:-1]]
            except psycopg.Error as ex:
                raise told(ex) from ex

    def at_commit(self, sql: str, params: Sequence[Any]) -> None:
        """Run a statement right before the transaction's COMMIT and in one round trip with it; its rows tell nobody."""
        self._due.append((sql, params))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin to write; commit at the end, roll everything back on any error."""
        with self._within("BEGIN"):
            yield
            if self._begin and not self._due:
                return  # nothing was asked
            try:
                *_, cursor = self._together([*self._due, ("COMMIT", ())])
            except psycopg.Error as ex:
                if self._connection.closed:
                    logger.warning("a commit is in doubt: its answer was lost with the connection")
                raise told(ex) from ex
            if cursor.statusmessage != "COMMIT":
                # A statement had failed, and who caught that went on: the server says so only here.
                raise DatabaseError(f"the transaction was rolled back: it answered {cursor.statusmessage} to COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read several statements from one state of the database."""
        with self._within("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield
            self._roll_back()

    @contextmanager
    def _within(self, begin: str) -> Iterator[None]:
        try:
            self._at_work()
        except psycopg.Error as ex:
            raise told(ex) from ex
        # It is sent with the first statement: a round trip of its own would be one more for each commit.
        self._begin, self._is_inside = begin, True
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._begin, self._is_inside = "", False
            self._due, self._foreseen = [], {}

    def _together(self, asked: Sequence[Asked]) -> list[psycopg.Cursor[Any]]:
        """Send statements at once, after the transaction's begin if that is still to be said, and wait for all."""
        connection, begin = self._at_work(), self._begin
        self._begin = ""
        with connection.pipeline():
            if begin:
                connection.execute(begin)
            return [connection.execute(translated(sql), params) for sql, params in asked]

    def _roll_back(self) -> None:
        try:
            if self._connection.info.transaction_status != TransactionStatus.IDLE:
                self._connection.execute("ROLLBACK")
        except psycopg.Error:  # with the connection the server has let go of the transaction
            self._connection.close()

    def is_at_rest(self) -> bool:
        """Tell whether the connection is there, and in no transaction."""
        return not self._connection.closed and self._connection.info.transaction_status == TransactionStatus.IDLE

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is wrong beneath the rows: foreign keys that lead nowhere, guards that are off, broken pages."""
        return faults(self)

    def copy_in(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Write many rows at once by a COPY statement."""
        try:
            with self._ready().cursor().copy(sql.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
        except psycopg.Error as ex:
            raise told(ex) from ex

    def run_script(self, text: str) -> None:
        """Run statements that take no parameters, as a migration's."""
        try:
            self._ready().execute(text.encode())
        except psycopg.Error as ex:
            raise told(ex) from ex

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __del__(self) -> None:
        """Close what was let go of, as SQLite's connections are."""
        connection = self.__dict__.get("_connection")
        if connection is not None:
            connection.close()

    def _asked(self, text: str, params: Sequence[Any]) -> psycopg.Cursor[Any]:
        """Run one statement; what is found lost only then is asked again, unless that could do anything twice."""
        if self._begin:
            return self._begun(text, params)
        try:
            return self._at_work().execute(text, params)
        except psycopg.OperationalError:
            if self._is_inside or not self._is_reader or not self._connection.closed:
                raise
            return self._at_work().execute(text, params)

    def _begun(self, text: str, params: Sequence[Any]) -> psycopg.Cursor[Any]:
        """Run a transaction's first statement with its begin; a connection that was lost before is made anew."""
        begin, self._begin = self._begin, ""
        try:
            return self._with_begin(begin, text, params)
        except psycopg.OperationalError:
            if not self._connection.closed:
                raise
            self._connection = self._connected()
            return self._with_begin(begin, text, params)

    def _with_begin(self, begin: str, text: str, params: Sequence[Any]) -> psycopg.Cursor[Any]:
        with self._connection.pipeline():
            self._connection.execute(begin)
            return self._connection.execute(text, params)

    def _ready(self) -> psycopg.Connection[Any]:
        """Return the connection with the transaction begun, if there is one."""
        connection = self._at_work()
        if self._begin:
            connection.execute(self._begin)
            self._begin = ""
        return connection

    def _at_work(self) -> psycopg.Connection[Any]:
        """Return the connection, made anew if it was lost: but not within a transaction, which is lost with it."""
        if self._connection.closed:
            if self._is_inside:
                raise OperationalError("the connection was lost, and the transaction with it")
            self._connection = self._connected()
            logger.warning("connected to PostgreSQL again")
        return self._connection

    def _connected(self) -> psycopg.Connection[Any]:
        try:
            connection = PatientConnection.to(self._url, self._patience_s)
            try:
                connection.execute(self._prepare.encode())
                go_to(connection, self.shard)
                register(connection)
                register_sealed(connection)
                require_fit(connection)
                if self._lock:
                    self.epoch = begin_epoch(connection, self.shard)
                    self.shards = count_shards(connection, self.shards)
            except BaseException:
                connection.close()
                raise
        except psycopg.Error as ex:
            raise told(ex) from ex
        return connection
