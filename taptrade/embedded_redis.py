"""Our own Redis-compatible server: with which configuration it runs, and under which URL it is found again."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from runtime.clock import SystemClock
from runtime.setting_forms import redis_url as read_url
from runtime.settings import Settings, SettingsError
from taptrade import redis_files, redis_server, sockets

SERVER = "redis-server"
"""Name of the link in the folder of a run that leads to the server's binary."""

# Eviction would lose bets, so memory that runs out refuses writes. The AOF brings back all but the last second (and
# answers and events, see publish.lua), so snapshots are only a second copy: one an hour. More of them, and an AOF
# rewritten at every 64 MB, would fork the server about once a minute under load. Compression would be a third of what
# writing a file costs the CPUs.
COMMON_CONFIG = """\
daemonize no
logfile ""
loglevel notice
protected-mode yes
maxmemory 512mb
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
save 3600 1
rdbcompression no
auto-aof-rewrite-min-size 512mb
tcp-keepalive 60
"""


def prepare(data: Path, server: Path | None = None) -> str:
    """Mend the server's files, write its configuration below `data`, record its URL there and return it."""
    run, stored = data / "run", stored_in(data)
    for folder in (run, stored):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = server or redis_server.choose(stored)
    _mend(stored, server)
    for name in (SERVER, redis_server.CHECK_AOF):
        _link(run / name, server)
    socket_path = sockets.make_folder(run) / sockets.REDIS
    url = f"unix://{socket_path}"
    listen = f"port 0\nunixsocket {socket_path}\nunixsocketperm 700\n"
    _write_private(run / "redis.conf", f"{COMMON_CONFIG}dir {_quoted(stored)}\n{listen}")
    record_url(data, url)
    return url


def record_url(data: Path, url: str) -> None:
    """Leave the URL of a run's Redis for commands in other terminals; only its owner may read it."""
    file = _url_file(data)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    _write_private(file, url + "\n")


def stored_in(data: Path) -> Path:
    """Return the folder of the server's own files."""
    return data / "redis"


def how_to_begin_anew(data: Path) -> str:
    """Say what helps a server that cannot read its files; they hold no money."""
    stored = shlex.quote(str(stored_in(data)))
    aside = f"mv {stored} {stored}-damaged-$(date +%s)"
    return f"if its files are damaged, `{aside}` lets it begin anew: players log in again, no cent is lost"


def command(data: Path) -> list[str]:
    """Return the command line of the server that `prepare` configured; raise SettingsError if it has not."""
    run = data / "run"
    if not os.access(run / "redis.conf", os.R_OK):
        raise SettingsError(f"{run / 'redis.conf'} cannot be read; `taptrade up` writes it")
    # Where no file fits its pattern the server begins with defaults, a port open to all; told of none, it ends.
    return [str(run / SERVER), _pattern(str(run / "redis.conf")), "--port", "0"]


def _pattern(path: str) -> str:
    """Write a path as the server reads it: as it is, or as a pattern of glob(3) where it could be one."""
    return re.sub(r"[*?[\\]", r"\\\g<0>", path) if re.search("[*?[]", path) else path


def _mend(stored: Path, server: Path) -> None:
    mended = redis_files.mend(stored, SystemClock().now_ms(), lambda file: redis_server.whole_bytes(server, file))
    if mended:
        print(
            f"taptrade: the last {mended.cut} bytes of Redis' file were not all written, as after a loss of power;"
            f" they were cut off, and {mended.kept} is the file as it was",
            file=sys.stderr,
            flush=True,
        )


def recorded_url(data: Path) -> str | None:
    """Return the URL of the last run's Redis, if any; raise SettingsError if the file holds none."""
    file = _url_file(data)
    try:
        url = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as ex:
        raise SettingsError(f"{file} cannot be read: {getattr(ex, 'strerror', '') or 'it is no text'}") from ex
    try:
        known = read_url(url)
    except ValueError:
        known = ""
    if not known:
        raise SettingsError(f"{file} holds no Redis URL; `taptrade up` writes it anew")
    return known


def redis_url(settings: Settings) -> str:
    """Return the URL that every process uses: the one that was set, else that of the last run here."""
    url = settings.redis_url or recorded_url(settings.data)
    if not url:
        raise SettingsError(f"nothing has run in {settings.data} yet; start it with `taptrade up`")
    return url


def _url_file(data: Path) -> Path:
    return data / "run" / "redis.url"


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _link(path: Path, target: Path) -> None:
    """Replace a link in one step."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(path)


def _write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, in one step."""
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
