"""What is looked at before a run begins: a start that cannot succeed says so in a sentence and leaves no trace."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from jobs.feed.opening import recording_of
from runtime.function_versions import folder_of_sets, in_service
from runtime.messaging import redis_keys
from runtime.messaging.connection import OUTAGES, connect, require_version
from runtime.messaging.redis_errors import NotPrimary, ServiceUnknown
from runtime.postgresql import choice
from runtime.sentinel_url import is_sentinel
from runtime.settings import Settings, SettingsError
from runtime.storage import function_store, ticks_store
from runtime.storage.column_width import refuse_other_width
from runtime.storage.database import LEDGER_MIGRATIONS, require_safe_sqlite
from runtime.storage.migrate import missing_migrations
from taptrade.function_check import require_functions
from taptrade.listening import address_of
from taptrade.pricing import refuse_unproven_model, reward_model

OPEN_FILES_LEAST = 1_024
"""What the supervisor takes for itself before it starts anything."""


def require_startable(settings: Settings, *, own_functions: bool = False) -> None:
    """Raise if a start could not succeed, as far as a look tells; this writes nothing.

    Developers are served their `own_functions`, whatever else is in service.
    """
    for name, require in START_CHECKS.items():
        if name == "functions" and own_functions:
            require_functions()
        else:
            require(settings)


def require_addresses(settings: Settings) -> None:
    """Raise if a host means no address."""
    address_of(settings.host, "TAPTRADE_HOST")
    address_of(settings.dashboard_host, "TAPTRADE_DASHBOARD_HOST")


def require_model(settings: Settings) -> None:
    """Raise if the reward model cannot be loaded, or may not be used in this mode."""
    reward_model(settings)
    refuse_unproven_model(settings)


def require_fit_redis(url: str) -> None:
    """Raise if a Redis that is not ours is too old or too small, or may evict; one that is away is waited for later."""
    client = connect(url)
    try:
        found = require_version(client)
    except ServiceUnknown as ex:
        raise SettingsError(f"TAPTRADE_REDIS_URL: {ex}") from ex
    except OUTAGES as ex:
        if isinstance(ex, NotPrimary) and not is_sentinel(url):
            raise SettingsError("TAPTRADE_REDIS_URL: the server is a replica; it must be a primary") from ex
        said = f": {ex}" if is_sentinel(url) else ""
        print(f"taptrade: TAPTRADE_REDIS_URL does not answer yet ({type(ex).__name__}{said})", file=sys.stderr)
        return
    finally:
        client.close()
    if found.get("role") != "master" or found.get("cluster_enabled"):
        raise SettingsError("TAPTRADE_REDIS_URL: the server is a replica or one of a cluster; it must be a primary")
    policy, size = found.get("maxmemory_policy"), int(found.get("maxmemory") or 0)
    if policy != "noeviction":
        raise SettingsError(
            f"TAPTRADE_REDIS_URL: maxmemory-policy is {policy}, it must be noeviction: eviction loses bets"
        )
    if not redis_keys.budget_fits(size):
        needed = sum(redis_keys.BUDGET_BYTES.values()) * 100 // redis_keys.BUDGET_SHARE_PERCENT
        raise SettingsError(f"TAPTRADE_REDIS_URL: maxmemory is {size} bytes, our keys need {needed} at least")


def require_fit_databases(settings: Settings) -> None:
    """Raise if a database is none of ours, or if bets are open on columns of another width than the settings say."""
    is_there = not choice.lacks(settings) if settings.database_url else settings.database.exists()
    for path, migrations in (
        (settings.database, LEDGER_MIGRATIONS),
        (settings.ticks_database, ticks_store.MIGRATIONS),
        (settings.functions_database, function_store.MIGRATIONS),
    ):
        if path.exists():
            missing_migrations(path, migrations)
    if is_there:
        with choice.naming(settings):
            reader = choice.open_reader(settings)
            try:
                refuse_other_width(reader.execute, settings.column_seconds)
            finally:
                reader.close()


def require_writable(data: Path) -> None:
    """Raise if something in the data folder cannot be written, as after a run by another user."""
    if data.exists() and not data.is_dir():
        raise SettingsError(f"TAPTRADE_DATA={data}: this is a file, and must be a folder")
    for folder, folders, names in os.walk(data):
        if Path(folder) == folder_of_sets(data):
            folders.clear()  # nobody writes into a version
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            if not os.access(path, os.W_OK) and not path.is_symlink():
                raise SettingsError(f"TAPTRADE_DATA={data}: this user cannot write {path}")


def require_open_files(least: int = OPEN_FILES_LEAST) -> None:
    """Raise if this process may not open as many files as the supervisor wants; a limit that can be raised is."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= least:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, least))
    except (OSError, ValueError) as ex:
        raise SettingsError(
            f"a process may open {hard:,} files here, and needs {least:,} at least: raise the hard limit (`ulimit -Hn`)"
        ) from ex


def _require_other_redis(settings: Settings) -> None:
    if settings.redis_url:
        require_fit_redis(settings.redis_url)


START_CHECKS: dict[str, Callable[[Settings], object]] = {
    "open files": lambda _: require_open_files(),
    "addresses": require_addresses,
    "SQLite": lambda _: require_safe_sqlite(),
    "reward model": require_model,
    "recording": recording_of,
    "data folder": lambda settings: require_writable(settings.data),
    "databases": require_fit_databases,
    "Redis": _require_other_redis,
    "functions": lambda settings: require_functions(in_service(settings.data)),
}
"""What a start looks at, in this order: each raises a sentence."""
