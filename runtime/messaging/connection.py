"""Redis connections: no silent retries, and no process that dies because Redis is away."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runtime.errors import Unavailable
from runtime.messaging.memory import Memory, Pool
from runtime.messaging.primary_watch import watch_of
from runtime.messaging.prompt_parser import PromptParser
from runtime.messaging.redis_errors import WITHOUT_EFFECT, CannotSave
from runtime.messaging.redis_version import VERSION_LEAST
from runtime.messaging.sentinels import Sentinels, connection_options
from runtime.sentinel_url import is_sentinel, read_sentinel_url
from runtime.settings import SettingsError

logger = logging.getLogger(__name__)

SOCKET_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 512
"""As many commands of a process are under way at once; a crowd beyond that waits for connections."""
CONNECTION_WAIT_S = 5.0
NEVER_SENT = ("connecting to", "No connection available")
"""What redis-py says of a connection that was not made, or that none was free for."""

Redis = redis.Redis
RedisError = redis.RedisError


# What a command raises when Redis is away, loading, or out of memory or disk: the caller must treat its effect as
# unknown.
OUTAGES = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, redis.OutOfMemoryError, CannotSave)


def connect(url: str, *, block_s: float = 0) -> redis.Redis:
    """Return a client with a pool; `block_s` is the longest blocking command that it will send.

    redis-py 8 retries every command ten times by default. A retried enqueue could place a job twice,
    so retries are off: an error means that the outcome is unknown. A URL that cannot be used raises SettingsError.
    """
    memory = None if url.startswith("unix://") else Memory()
    options: dict[str, Any] = {
        "timeout": CONNECTION_WAIT_S,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_error": [],
        "socket_timeout": SOCKET_TIMEOUT_S + block_s,
        "socket_connect_timeout": SOCKET_TIMEOUT_S,
        "max_connections": CONNECTIONS_MAX,
        "parser_class": PromptParser,
    }
    if memory is not None:
        options["redis_connect_func"] = memory.greet
    try:
        if memory is not None and is_sentinel(url):
            sentinels = read_sentinel_url(url)
            options |= connection_options(sentinels, CONNECTIONS_MAX, memory.note)
            pool = Pool(**options)  # type: ignore[no-untyped-call]
            pool.watch = watch_of(url, lambda: Sentinels(sentinels, 1))
            pool.watch.look_after(pool)
        else:
            pool = Pool.from_url(url, **options)
        # What the URL asks for is looked at no sooner than with the first connection.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError) as ex:
        raise SettingsError(f"TAPTRADE_REDIS_URL=***: {ex}") from ex
    if memory is not None:
        memory.belong_to(pool)
    return redis.Redis.from_pool(pool)


def seen_of(client: redis.Redis) -> str:
    """Say which primary Sentinel has named to a client, or why there is none; empty where no sentinel is asked."""
    pool = client.connection_pool
    if not isinstance(pool, Pool) or pool.memory is None or "sentinels" not in pool.connection_kwargs:
        return ""
    return pool.memory.trouble or f"the primary is {pool.memory.address}"


def was_never_sent(error: Exception) -> bool:
    """Tell whether a command certainly had no effect: it was refused, or the connection was never made."""
    if isinstance(error, WITHOUT_EFFECT):
        return True
    return isinstance(error, redis.ConnectionError) and any(sign in str(error) for sign in NEVER_SENT)


def require_version(client: redis.Redis) -> dict[str, Any]:
    """Return what a server tells of itself; raise SettingsError unless it knows every command that is sent."""
    least = ".".join(map(str, VERSION_LEAST))
    try:
        found: dict[str, Any] = client.info()
    except redis.AuthenticationError as ex:
        raise SettingsError(f"TAPTRADE_REDIS_URL: the server does not let us in: {ex}") from ex
    except OUTAGES:
        raise
    except redis.RedisError as ex:
        raise SettingsError(f"TAPTRADE_REDIS_URL: no Redis {least} or later answers there: {ex}") from ex
    version = str(found.get("redis_version", "unknown"))
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < VERSION_LEAST:
        raise SettingsError(f"TAPTRADE_REDIS_URL: the server is version {version}, and {least} is the least")
    return found


def wait_until_ready(client: redis.Redis, pause: Callable[[float], object], *, attempts: int = 600) -> bool:
    """Wait until Redis answers, and tell whether it does.

    `pause` gets the seconds to wait between two tries; where it returns true, as the wait for an event does that has
    come, one waits no longer. Raise SettingsError if it is none that can be used, however long one waits.
    """
    delay_s = 0.05
    for attempt in range(attempts):
        try:
            require_version(client)
            client.ping()  # which is refused while the server loads its files
        except OUTAGES as ex:
            if attempt in (0, 20):
                logger.warning("waiting for Redis: %s", ex)
            if pause(delay_s):
                return False
            delay_s = min(delay_s * 1.5, 1.0)
        else:
            return True
    raise Unavailable(f"Redis did not answer in {attempts} tries")
