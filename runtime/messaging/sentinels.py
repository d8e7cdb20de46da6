"""The primary that Sentinel names, asked for with each new connection."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel

from runtime.messaging.redis_errors import NoSentinel, ServiceUnknown
from runtime.sentinel_url import SentinelUrl

Address = tuple[str, int]
Word = tuple[int, Address]
"""What a sentinel says: the number of the newest election that it knows of, and where the primary is."""
ANSWER_S = 1.0
"""How long a sentinel may take to connect, and to answer; one that is gone holds up a new connection that long."""


class Sentinels:
    """Those of a URL, in the order in which they are asked."""

    def __init__(self, url: SentinelUrl, connections_max: int) -> None:
        self._service = url.service
        server = _parsed(url)
        # Without these, redis-py would ask a sentinel that is gone eleven times.
        patience: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "retry_on_error": []}
        self._asked: list[redis.Redis] = Sentinel(  # type: ignore[no-untyped-call]
            list(url.hosts),
            sentinel_kwargs={
                **{name: value for name, value in server.items() if name.startswith("ssl_")},
                "ssl": server.get("connection_class") is SSLConnection,
                "username": url.username,
                "password": url.password,
                "socket_timeout": ANSWER_S,
                "socket_connect_timeout": ANSWER_S,
                "max_connections": connections_max,
                "decode_responses": True,
                **patience,
            },
        ).sentinels

    def primary(self) -> Address:
        """Return where the primary is by the first that answers; raise NoSentinel or ServiceUnknown."""
        silent: list[tuple[str, redis.RedisError]] = []
        unknowing: list[str] = []
        for sentinel in list(self._asked):
            name = "{host}:{port}".format_map(sentinel.connection_pool.connection_kwargs)
            try:
                address: Any = sentinel.sentinel_get_master_addr_by_name(self._service)
            except redis.RedisError as ex:
                silent.append((name, ex))
                continue
            if address:
                self._ask_first(sentinel)
                return str(address[0]), int(address[1])
            unknowing.append(name)
        said = "; ".join(f"{name}: {ex}" for name, ex in silent)
        if unknowing:
            raise ServiceUnknown(
                f"Error connecting to the primary: no sentinel watches {self._service!r}"
                f" ({', '.join(unknowing)}){f'; {said}' if said else ''}"
            )
        if all(isinstance(ex, redis.AuthenticationError) for _, ex in silent):
            raise redis.AuthenticationError(f"Error connecting to the sentinels: {said}")
        raise NoSentinel(f"Error connecting to the primary: no sentinel answers ({said})")

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._asked)

    def words(self) -> list[Word]:
        """Return what each says that answers."""
        found: list[Word] = []
        for sentinel in list(self._asked):
            with suppress(redis.RedisError):
                told: Any = sentinel.sentinel_master(self._service)
                # Who leads an election has its number at once, but tells of the server before for a while.
                address: Any = sentinel.sentinel_get_master_addr_by_name(self._service)
                found += [(int(told["config-epoch"]), (str(address[0]), int(address[1])))] if address else []
        return found

    def close(self) -> None:
        """Close all connections to them."""
        for sentinel in self._asked:
            sentinel.close()

    def doubt(self) -> None:
        """Ask another one first: this one's primary was none, or was away, and it may have missed a failover."""
        self._asked = [*self._asked[1:], *self._asked[:1]]

    def _ask_first(self, sentinel: redis.Redis) -> None:
        if self._asked[0] is not sentinel:
            self._asked = [sentinel, *(one for one in self._asked if one is not sentinel)]


class _ToPrimary:
    """A connection to whichever server is the primary when it is made.

    redis-py's own is not used: one that is interrupted between a command and its answer stays open there
    (SentinelManagedConnection.read_response), and the next command would read the answer of the one before.
    """

    def __init__(self, *, sentinels: Sentinels, tell: Callable[[str], object], **options: Any) -> None:
        self._sentinels = sentinels
        self._tell = tell
        self.is_left = False
        """It was hung up, and nobody has used it since."""
        super().__init__(**options)

    def _connect(self) -> Any:
        self.host, self.port = self._sentinels.primary()
        self.is_left = False
        return super()._connect()  # type: ignore[misc]

    def hang_up(self) -> None:
        """End the connection; whoever waits on it, in another thread, hears at once that it is gone."""
        sock = self._sock  # type: ignore[attr-defined]
        self.is_left = True
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        try:
            super().connect_check_health(check_health, retry_socket_connect)  # type: ignore[misc]
        except redis.RedisError as ex:
            self._sentinels.doubt()
            self._tell(str(ex))
            raise


class PrimaryConnection(_ToPrimary, Connection):
    """A plain connection to the primary."""


class PrimarySSLConnection(_ToPrimary, SSLConnection):
    """A connection to the primary by TLS."""


def connection_options(url: SentinelUrl, connections_max: int, tell: Callable[[str], object]) -> dict[str, Any]:
    """Return what makes a pool's connections lead to the primary: their class and its arguments.

    `tell` gets the reason where one was not made.
    """
    server = _parsed(url)
    kind = server.pop("connection_class", Connection)
    server.pop("host", None)
    chosen = PrimarySSLConnection if kind is SSLConnection else PrimaryConnection
    return server | {"connection_class": chosen, "sentinels": Sentinels(url, connections_max), "tell": tell}


def _parsed(url: SentinelUrl) -> dict[str, Any]:
    """Read what is for the servers as redis-py reads every URL."""
    found: dict[str, Any] = parse_url(url.server_url)  # type: ignore[no-untyped-call]
    return found
