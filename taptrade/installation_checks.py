"""Is what is installed here what was locked, and can a house start with these settings? Nothing is changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from rich.filesize import decimal

from runtime.clock import SystemClock
from runtime.errors import TaptradeError
from runtime.messaging.connection import RedisError, connect, seen_of
from runtime.postgresql import choice
from runtime.sentinel_url import is_sentinel
from runtime.settings import Settings, SettingsError
from runtime.storage import ticks_store
from runtime.storage.backups import FOLDER, newest_backup
from runtime.storage.database import LEDGER_MIGRATIONS, naming, open_reader, sqlite_version
from runtime.storage.migrate import missing_migrations
from taptrade import embedded_redis, holders, interpreter, redis_server, running
from taptrade.claims import Taken, require_free_port
from taptrade.diagnosis import Diagnosis, fail, ok, warn
from taptrade.own_files import open_to_others
from taptrade.start_checks import START_CHECKS

LOCK_FILE = interpreter.ROOT / "requirements.lock"
READ_WHOLE_BYTES = 1024**3
"""A database beyond this is read whole only when that is asked for."""
SHOWN_MAX = 3


def installation_diagnoses(settings: Settings, *, whole: bool) -> Iterator[Diagnosis]:
    """Yield what is said of this installation; `whole` reads a large database from end to end as well."""
    yield packages(_text(LOCK_FILE))
    yield code()
    yield server(settings)
    for name, require in START_CHECKS.items():
        yield start_check(name, require, settings)
    yield from ports(settings)
    yield ledger(settings, whole=whole)
    yield database(settings.ticks_database, ticks_store.MIGRATIONS, whole=whole)
    yield rights(settings.data)
    if not settings.database_url:
        yield backup(settings.data, SystemClock().now_ms())


def packages(lock: str) -> Diagnosis:
    """Hold the installed packages against the lock file, as far as it is about this interpreter."""
    name, wrong, count = "packages", [], 0
    if not lock:
        return warn(name, f"there is no {LOCK_FILE.name} beside the code", "install from the project's folder")
    for line in lock.splitlines():
        if not line[:1].isalnum():
            continue
        wanted = Requirement(line.rstrip("\\ "))
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        count += 1
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is not installed")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} is {found}, not {wanted.specifier}")
    if wrong:
        more = f" and {len(wrong) - SHOWN_MAX} more" if len(wrong) > SHOWN_MAX else ""
        return fail(name, "; ".join(wrong[:SHOWN_MAX]) + more, "`make clean`, then `make run` installs what was locked")
    return ok(name, f"{count} as they were locked")


def code() -> Diagnosis:
    """Look whether what runs is the code of this folder."""
    foreign = interpreter.foreign()
    if foreign:
        return fail("code", f"this environment {foreign}", "`make clean`, then `make run`")
    return ok("code", str(interpreter.ROOT))


def start_check(name: str, require: Callable[[Settings], object], settings: Settings) -> Diagnosis:
    """Ask what a start asks: its sentence says what to do as well."""
    try:
        require(settings)
    except (SettingsError, TaptradeError, OSError) as ex:
        return fail(name, str(ex), "as it says; `taptrade up` would refuse to start")
    return ok(name, sqlite_version() if name == "SQLite" else "fit for a start")


def server(settings: Settings) -> Diagnosis:
    """Look which Redis-compatible server a start would take."""
    name = "Redis server"
    if settings.redis_url:
        return _other_server(name, settings.redis_url)
    try:
        binary = redis_server.choose(embedded_redis.stored_in(settings.data))
    except SettingsError as ex:
        return fail(name, str(ex), "install Redis 7 or Valkey, or set TAPTRADE_REDIS_URL")
    return ok(name, f"{redis_server.version_of(binary)} at {binary}")


def _other_server(name: str, url: str) -> Diagnosis:
    """Say where the server of a URL is; of sentinels, which primary they name."""
    if not is_sentinel(url):
        return ok(name, "the one of TAPTRADE_REDIS_URL")
    client = connect(url)
    try:
        client.ping()
    except RedisError as ex:
        return fail(name, str(ex), "see that sentinels answer, know the service and name a primary that answers")
    finally:
        client.close()
    return ok(name, f"by Sentinel, {seen_of(client)}")


def ports(settings: Settings) -> Iterator[Diagnosis]:
    """Look whether the ports are free, or held by the run of this data folder."""
    run = running.find(settings.data)
    asked = (
        ("port", settings.host, settings.port, ("TAPTRADE_HOST", "TAPTRADE_PORT"), run and run.port),
        (
            "dashboard port",
            settings.dashboard_host,
            settings.dashboard_port,
            ("TAPTRADE_DASHBOARD_HOST", "TAPTRADE_DASHBOARD_PORT"),
            run and run.dashboard_port,
        ),
    )
    for name, host, port, variables, held in asked:
        if port == held:
            yield ok(name, f"{port}, held by the run in {settings.data}")
            continue
        try:
            require_free_port(host, port, variables)
        except Taken as ex:
            ours = holders.serves(port, settings.data)
            yield ok(name, f"{port}, held by the house in {settings.data}") if ours else fail(name, str(ex), ex.remedy)
        except SettingsError as ex:
            yield fail(name, str(ex), "as it says")
        else:
            yield ok(name, f"{port} is free")


def ledger(settings: Settings, *, whole: bool) -> Diagnosis:
    """Open the ledger, whichever engine holds it."""
    if not settings.database_url:
        return database(settings.database, LEDGER_MIGRATIONS, whole=whole)
    try:
        lacks = choice.lacks(settings)
    except TaptradeError as ex:
        return fail("PostgreSQL", str(ex), "docs/postgresql.md says what it must be like")
    if lacks:
        return warn("PostgreSQL", f"{len(lacks)} migrations behind, from {lacks[0]} on", "the next start applies it")
    return ok("PostgreSQL", "answers; `taptrade audit` looks into its pages, with amcheck")


def database(path: Path, migrations: Path, *, whole: bool) -> Diagnosis:
    """Open a database, and read it from end to end where it is small or that is asked for."""
    restore = "restore the newest backup: docs/runbooks/backup-and-restore.md"
    if not os.access(path, os.F_OK):
        return ok(path.name, "not there yet; the first start makes it")
    size = path.stat().st_size
    try:
        lacks = missing_migrations(path, migrations)
        damage = _damage(path) if whole or size <= READ_WHOLE_BYTES else ""
    except TaptradeError as ex:
        return fail(path.name, str(ex), restore)
    if damage:
        return fail(path.name, damage, restore)
    if lacks:
        remedy = "the next start applies it; make a backup first: there is no way back"
        return warn(path.name, f"{len(lacks)} migrations behind, from {lacks[0].name} on", remedy)
    extent = "read whole" if whole or size <= READ_WHOLE_BYTES else "opens; --whole reads all of it"
    return ok(path.name, f"{decimal(size)}, {extent}")


def _damage(path: Path) -> str:
    with naming(path):
        reader = open_reader(path)
        try:
            found = [row[0] for row in reader.execute("PRAGMA quick_check(3)")]
        finally:
            reader.close()
    return "" if found == ["ok"] else "; ".join(found)


def rights(data: Path) -> Diagnosis:
    """Look whether others of this machine can look into what a run keeps: keys, the database, its backups."""
    try:
        found = open_to_others(data)
    except OSError as ex:
        return fail("rights", f"{ex.filename}: {ex.strerror}", "run this as the user that the house runs as")
    if not found:
        return ok("rights", "nothing of the data folder is open to others")
    modes = ", ".join(f"{path} ({stat.S_IMODE(path.stat().st_mode):o})" for path in found[:SHOWN_MAX])
    more = f" and {len(found) - SHOWN_MAX} more" if len(found) > SHOWN_MAX else ""
    return warn(
        "rights", f"others can look into {modes}{more}", f"`chmod -R go= {data}`; a start closes what is its own"
    )


def backup(data: Path, now_ms: int) -> Diagnosis:
    """Look for a copy to restore from."""
    found = newest_backup(data / FOLDER)
    if found is None:
        return warn("backup", "none yet", "the job makes one each hour while the house runs")
    hours = (now_ms - found.made_ms) / 3_600_000
    return ok("backup", f"{found.file}, {hours:.1f} h old; copy it to another machine as well")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
