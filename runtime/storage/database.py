"""SQLite through Peewee: connections, the one write transaction, migrations. Nothing else imports Peewee."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from cysqlite import _cysqlite as cysqlite

from runtime.errors import TaptradeError
from runtime.game.ids import SQL_FUNCTIONS
from runtime.personal.seal import opened
from runtime.storage import connection
from runtime.storage.drivers import CySqliteDatabase, peewee, translated

LEDGER_MIGRATIONS = Path(__file__).parent / "migrations"
"""What makes and updates the tables of `taptrade.db`."""

Database = connection.Database
Row = connection.Row
Mode = Literal["NOOP", "PASSIVE", "RESTART", "TRUNCATE"]
"""SQLite's ways to checkpoint (https://sqlite.org/pragma.html#pragma_wal_checkpoint)."""
# Older libraries can lose committed transactions when one connection checkpoints while another writes.
SQLITE_LEAST = (3, 51, 3)
BUSY_TIMEOUT_S = 5
CACHE_KIB = 64 * 1024
PAGE_BYTES = 4096
WAL_BYTES_MAX = 64 * 1024 * 1024
"""The write-ahead log starts anew before it is longer. One that a reader held longer is cut when it starts anew."""
MMAP_BYTES = 256 * 1024 * 1024
OPERATIONS_BETWEEN_CHECKS = 5_000
# SQLITE_OPEN_READWRITE, _CREATE and _NOMUTEX (https://sqlite.org/c3ref/c_open_autoproxy.html): a connection has one
# user, and locks that nobody contends are a quarter of a short statement's time.
WRITER_FLAGS = 0x2 | 0x4 | 0x8000

_SQL = re.compile(r"^error [a-z ]+: (\[.*\] )?|(?<=.) \(code=\d+, ext=\d+\)$", re.DOTALL)
"""What the driver puts around SQLite's own sentence."""

DatabaseError = peewee.DatabaseError
IntegrityError = peewee.IntegrityError
OperationalError = peewee.OperationalError


class AnotherWrites(OperationalError):
    """Another process is the writer, or has become it since."""


class DatabaseUnsafe(TaptradeError):
    """The database cannot be trusted with money."""


class Checkpoint(NamedTuple):
    """What became of a checkpoint."""

    busy: bool
    """A commit or a reader was in the way and did not go."""
    pages: int
    """Length of the write-ahead log."""
    copied: int


class SqliteDatabase:
    """One connection to one SQLite file; not to be shared by two users at the same time."""

    def __init__(self, peewee_database: CySqliteDatabase) -> None:
        self._peewee = peewee_database
        self._peewee.connect()
        self._connection = self._peewee.connection()
        for function, parameters in SQL_FUNCTIONS:
            self._connection.create_function(function, function.__name__, parameters, deterministic=True)
        self._connection.create_function(opened, opened.__name__, 3, deterministic=True)
        self.between_commits = threading.Lock()
        """Each transaction holds it. Another thread that takes it comes between two of them, as soon as one ends; by
        SQLite's own lock it would have to look again and again whether the connection is between two."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return all its rows.

        Rows are always read to the end: a RETURNING statement left half-read would make COMMIT fail.
        """
        with translated:
            rows: list[Row] = self._connection.execute(sql, params).fetchall()
        return rows

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`; for writes whose answer nobody needs."""
        with translated:
            self._connection.executemany(sql, rows)

    def iterate(self, sql: str, params: Sequence[Any] = ()) -> Iterator[Row]:
        """Run one statement and yield its rows as they are read, for walks over whole tables."""
        return _each(self._peewee.execute_sql(sql, params))

    def dicts(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run one statement and return its rows by column name."""
        cursor = self._peewee.execute_sql(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in _each(cursor)]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the write lock; commit at the end, roll everything back on any error."""
        with self.between_commits:
            self._peewee.begin("IMMEDIATE")
            try:
                yield
                self._peewee.commit()
            except BaseException:
                if self._connection.in_transaction:
                    self._peewee.rollback()
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read several statements from one state of the database."""
        self._peewee.begin("DEFERRED")
        try:
            yield
        finally:
            self._peewee.rollback()

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is wrong with the file itself, and rows that point at none: (table, row, sentence)."""
        for (said,) in self.execute("PRAGMA integrity_check(10)"):
            if said != "ok":
                yield "database", "file", said
        for table, row_id, parent, _ in self.execute("PRAGMA foreign_key_check"):
            yield table, str(row_id), f"it points at a row of {parent} that is not there"

    def interrupt_when(self, expired: Callable[[], bool]) -> None:
        """Interrupt the running statement as soon as `expired` says so."""
        self._connection.progress(lambda: int(expired()), OPERATIONS_BETWEEN_CHECKS)

    def checkpoint(self, mode: Mode) -> Checkpoint:
        """Copy the write-ahead log into the file.

        NOOP only looks. PASSIVE waits for nobody and makes nobody wait. RESTART and TRUNCATE keep commits waiting until
        all is copied and the log starts anew, if no reader needs it. After RESTART it keeps its length: a commit into
        blocks that the file system has already given costs the disk less.
        """
        busy, pages, copied = self.execute(f"PRAGMA wal_checkpoint({mode})")[0]
        return Checkpoint(bool(busy), pages, copied)

    def close(self) -> None:
        """Close the connection."""
        self._peewee.close()


def _each(cursor: Any) -> Iterator[Row]:
    # Peewee translates what the driver raises at a statement's first row, but not at a later one.
    with translated:
        yield from cursor


def sqlite_version() -> str:
    """Return the version of the linked SQLite library."""
    return str(cysqlite.sqlite_version)


def require_safe_sqlite() -> None:
    """Raise DatabaseUnsafe if the linked SQLite library can lose committed transactions."""
    if cysqlite.sqlite_version_info < SQLITE_LEAST:
        least = ".".join(map(str, SQLITE_LEAST))
        raise DatabaseUnsafe(f"SQLite {cysqlite.sqlite_version} is too old; {least} or later is needed")


def open_writer(path: Path, *, checkpoint_pages: int = 1000) -> SqliteDatabase:
    """Open `path` for reading and writing, made durable against loss of power.

    `checkpoint_pages` is the length of the log at which a commit also checkpoints; 0 leaves that to the caller.
    """
    require_safe_sqlite()
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteDatabase(
        CySqliteDatabase(
            str(path),
            rank_functions=False,
            autoconnect=False,
            thread_safe=False,
            timeout=BUSY_TIMEOUT_S,
            flags=WRITER_FLAGS,
            pragmas={
                "auto_vacuum": "incremental",
                "journal_mode": "wal",
                "synchronous": "full",
                "foreign_keys": 1,
                "secure_delete": "fast",
                "cache_size": -CACHE_KIB,
                "mmap_size": MMAP_BYTES,
                "wal_autocheckpoint": checkpoint_pages,
                "journal_size_limit": WAL_BYTES_MAX,
                "busy_timeout": BUSY_TIMEOUT_S * 1000,
            },
        )
    )


def open_reader(path: Path) -> SqliteDatabase:
    """Open `path` read-only; raise OperationalError if it does not exist yet."""
    return SqliteDatabase(
        CySqliteDatabase(
            f"file:{quote(str(path))}?mode=ro",
            rank_functions=False,
            autoconnect=False,
            thread_safe=False,
            timeout=BUSY_TIMEOUT_S,
            uri=True,
            pragmas={"query_only": 1, "mmap_size": MMAP_BYTES},
        )
    )


def open_filler(path: Path, beside: str | None) -> SqliteDatabase:
    """Open a file that only this process sees until it is done, another one attached read-only as `live`.

    It is not made durable row by row: who is interrupted begins anew.
    """
    database = SqliteDatabase(
        CySqliteDatabase(
            f"file:{quote(str(path))}",
            rank_functions=False,
            autoconnect=False,
            thread_safe=False,
            timeout=BUSY_TIMEOUT_S,
            uri=True,
            pragmas={"journal_mode": "delete", "synchronous": "off", "foreign_keys": 0, "cache_size": -CACHE_KIB},
        )
    )
    if beside is not None:
        database.execute("ATTACH ? AS live", (beside,))
    return database


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Raise DatabaseUnsafe that names the file, for whatever the driver or the system says of it."""
    try:
        yield
    except DatabaseError as ex:
        said = _SQL.sub("", str(ex))
        if "readonly" in said:
            # Whoever reads beside a writer leaves a mark in a file of its log.
            said = "only who may write in its folder can read it"
        raise DatabaseUnsafe(f"{path} cannot be used: {said}") from ex
    except OSError as ex:
        raise DatabaseUnsafe(f"{ex.filename or path} cannot be used: {ex.strerror}") from ex
