"""A session with a PostgreSQL: how it begins, what the server must be like, and its errors as ours."""

from __future__ import annotations

import os
from typing import Any, Self

# Whoever asks is a native thread. Where gevent has patched the library, psycopg would wait by that otherwise.
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_c")

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import _WaitTimeout

from runtime.postgresql.translation import OWN, translated
from runtime.storage.database import AnotherWrites, DatabaseError, DatabaseUnsafe, IntegrityError, OperationalError

VERSION_LEAST = 15_00_00
CONNECT_S_MAX = 5
NOTICED: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}
"""A machine that is gone is noticed within seconds: the system's own patience is a quarter of an hour, or two hours."""
ANOTHER_EPOCH = "TT001"
"""What the fence of commits raises (runtime/postgresql/migrations/0002_shards.sql)."""


WHOLE = 0
"""The place of a shard for who reads about the whole house."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits so long for an answer and then is closed: a server may be stopped, or cut off from us."""

    patience_s: float | None = None
    """None: for ever."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer."""
        try:
            return super().wait(gen, interval, self.patience_s if timeout is None else timeout)
        except _WaitTimeout as ex:
            self.close()
            raise psycopg.OperationalError(f"the server has not answered for {self.patience_s} s") from ex
        except psycopg.Error:
            raise
        except BaseException:
            # A job's time was up, say: what was asked is under way still, and no other question would be answered.
            self.close()
            raise

    @classmethod
    def to(cls, url: str, patience_s: float | None) -> Self:
        """Connect; whoever is not reached in CONNECT_S_MAX is away, unless the URL says otherwise.

        A URL may name several hosts; with `target_session_attrs=read-write` the one that is the primary is taken.
        """
        given: dict[str, Any] = {
            "connect_timeout": CONNECT_S_MAX,
            "application_name": "taptrade",
            **NOTICED,
            **conninfo_to_dict(url),
        }
        connection = cls.connect(make_conninfo(**given), autocommit=True)
        connection.prepare_threshold = 2
        connection.patience_s = patience_s
        return connection


def schema_of(shard: int) -> str:
    """Return the schema of a shard other than the first, which lies where the role's search path leads."""
    return f"taptrade_shard_{shard}"


def go_to(connection: psycopg.Connection[Any], shard: int) -> None:
    """Let a session be in one shard, or with WHOLE read about all of them."""
    if shard == WHOLE:
        connection.execute(OWN["place_of_house"])
    elif shard > 1:
        connection.execute(translated(OWN["place_of_shard"]), (schema_of(shard),))


def begin_epoch(connection: psycopg.Connection[Any], shard: int) -> int:
    """Become the writer of a shard.

    What a writer before left in doubt is decided by that too: the epoch's own commit waits for a synchronous standby,
    which has all then that was committed before. Until it is answered, nothing that is read here may be told.
    """
    if not connection.execute(translated(OWN["take_writers_lock"]), (shard - 1,)).fetchall()[0][0]:
        raise AnotherWrites("another session holds the writer's lock of this ledger")
    return int(connection.execute(OWN["begin_epoch"]).fetchall()[0][0])


def count_shards(connection: psycopg.Connection[Any], known: int | None) -> int:
    """Return how many shards the house has; raise AnotherWrites if it has more than a writer began with.

    One that was alone counts on limits that it has to ask for by then.
    """
    shards = int(connection.execute(OWN["shards"]).fetchall()[0][0])
    if known not in (None, shards):
        raise AnotherWrites(f"the house has {shards} shards by now, and this writer began with {known}")
    return shards


def require_fit(connection: psycopg.Connection[Any]) -> None:
    """Raise DatabaseUnsafe for a server that the ledger must not lie on."""
    number, version, encoding, is_synced, is_whole = connection.execute(OWN["server"]).fetchall()[0]
    if number < VERSION_LEAST:
        raise DatabaseUnsafe(f"PostgreSQL {version} is too old; {VERSION_LEAST // 10_000} or later is needed")
    if encoding != "UTF8":
        raise DatabaseUnsafe(f"the database is encoded as {encoding}; make one with ENCODING 'UTF8'")
    if not is_synced or not is_whole:
        raise DatabaseUnsafe(
            "PostgreSQL runs with fsync or full_page_writes off, and would lose commits with its power"
        )


def told(ex: psycopg.Error) -> DatabaseError:
    """Return the error as SQLite's would be told: of the same kind, with PostgreSQL's own sentence."""
    said = (ex.diag.message_primary or str(ex)).strip().replace("\n", " ")
    if ex.sqlstate == ANOTHER_EPOCH:
        return AnotherWrites(said)
    if isinstance(ex, psycopg.errors.ReadOnlySqlTransaction):  # the server is a standby by now
        return OperationalError(said)
    if isinstance(ex, psycopg.IntegrityError):
        return IntegrityError(said)
    if isinstance(ex, psycopg.OperationalError | psycopg.InterfaceError):
        return OperationalError(said)
    return DatabaseError(said)
