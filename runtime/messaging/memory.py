"""Whose memory a connection leads to: looked at once, when it is made, and before anything is asked of it.

A server that was promoted, or was started again, may have lost its last second, and with it nonces. So an epoch of
nonces belongs to one life of one server, known by its run id. Who finds another run id than the epoch's begins a new
one, before any command of ours can reach that server. No command looks for itself: a connection leads to one life.
"""

from __future__ import annotations

import logging
import re
import secrets
import weakref
from importlib import resources
from typing import Any

import redis

from runtime.clock import Clock, SystemClock
from runtime.messaging import redis_keys
from runtime.messaging.primary_watch import PrimaryWatch
from runtime.messaging.redis_errors import NotPrimary, ServerChanged
from runtime.messaging.sentinels import Address

logger = logging.getLogger(__name__)

BEGIN = resources.files("runtime.messaging").joinpath("lua", "begin_epoch.lua").read_text(encoding="utf-8")
_TOLD = re.compile(rb"^(run_id|role):(\S+)", re.MULTILINE)


class Pool(redis.BlockingConnectionPool):
    """A pool of connections, and what it knows of the server behind them."""

    memory: Memory | None = None
    """None where the server can be no other: a socket of this machine, which no replica can reach."""
    watch: PrimaryWatch | None = None
    """None where no sentinel is asked."""

    def make_connection(self) -> Any:
        """Make a connection, and have it looked on whether it leads to the primary."""
        if self.watch is not None:
            self.watch.begin()
        return super().make_connection()  # type: ignore[no-untyped-call]

    def leave_all_but(self, named: set[Address]) -> set[Address]:
        """End the connections that lead elsewhere, also those that somebody waits on; return where they led."""
        elsewhere = [
            one
            for one in list(self._connections)
            if one.is_connected and not one.is_left and (one.host, one.port) not in named
        ]
        if elsewhere:
            self.connection_kwargs["sentinels"].doubt()
        for connection in elsewhere:
            connection.hang_up()
        return {(one.host, one.port) for one in elsewhere}

    def keep_only(self, connection: Any) -> None:
        """Close all other connections: those in use as soon as they are given back."""
        for other in list(self._connections):
            if other is not connection:
                other.mark_for_reconnect()
        self.disconnect(inuse_connections=False)


class Memory:
    """What a pool of connections knows of the server behind it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.address = ""
        """Where the newest connection leads to."""
        self.trouble = ""
        """Why the newest connection was not made; empty if it was."""
        self._run_id = b""
        self._clock = clock or SystemClock()
        self._pool: weakref.ref[Pool] | None = None

    def belong_to(self, pool: Pool) -> None:
        """Be what that pool knows."""
        self._pool = weakref.ref(pool)
        pool.memory = self

    def note(self, trouble: str) -> None:
        """Keep why a connection was not made."""
        self.trouble = trouble

    def greet(self, connection: Any) -> None:
        """Make a new connection ready; raise NotPrimary, ServerChanged, or what redis-py raises."""
        where = f"{connection.host}:{connection.port}"
        try:
            self._greet(connection, where)
        except redis.RedisError as ex:
            # Anything else is more than a connection that was not made: a password, or a server that loads.
            if type(ex) in (redis.ConnectionError, redis.TimeoutError):
                raise redis.ConnectionError(f"Error connecting to {where}: {ex}") from ex
            raise
        self.address, self.trouble = where, ""

    def _greet(self, connection: Any, where: str) -> None:
        connection.on_connect()
        run_id, role = _who(connection)
        if role != b"master":
            raise NotPrimary(f"Error connecting to {where}: the server is a replica")
        if _ask(connection, "HGET", redis_keys.EPOCH, "server") != run_id:
            self._begin_epoch(connection, run_id, where)
        before, self._run_id = self._run_id, run_id
        if before not in (b"", run_id):
            # Those to the server of before may still be answered: it may have been cut off, and not know it.
            pool = self._pool() if self._pool else None
            if pool is not None:
                pool.keep_only(connection)
            # Whoever uses the pool must hear of it, even where the other server was there at once.
            raise ServerChanged(f"Error connecting to {where}: it is not the server of before")

    def _begin_epoch(self, connection: Any, run_id: bytes, where: str) -> None:
        arguments = (run_id, secrets.token_hex(8), self._clock.now_ms() // 1000, redis_keys.SIGNED_AHEAD_S)
        if _ask(connection, "EVAL", BEGIN, 1, redis_keys.EPOCH, *arguments):
            logger.warning("an epoch of nonces begins on %s, run id %s", where, run_id.decode())


def _ask(connection: Any, *command: Any) -> Any:
    connection.send_command(*command, check_health=False)
    return connection.read_response(disable_decoding=True)


def _who(connection: Any) -> tuple[bytes, bytes]:
    """Return the server's run id and its role."""
    told = dict(_TOLD.findall(_ask(connection, "INFO", "server") + b"\n" + _ask(connection, "INFO", "replication")))
    return told.get(b"run_id", b""), told.get(b"role", b"")
