"""Claim what only one run can have: data folder, ports, Redis' socket. The last run gets some seconds to let go."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import TypeVar

from runtime.process_lock import LockHeld, acquire
from runtime.settings import Settings, SettingsError
from taptrade import holders, running, sockets

WAIT_S = 15.0
"""A stop under load takes some seconds: open requests are answered, jobs ended, the writer drained."""
LOOK_EVERY_S = 0.1
_T = TypeVar("_T")


class Taken(Exception):
    """Another process has it: what, who, and what else to do than wait."""

    def __init__(self, what: str, holder: str, remedy: str) -> None:
        super().__init__(f"{what} is in use by {holder}")
        self.remedy = remedy


def claim(
    attempt: Callable[[], _T],
    *,
    wait_s: float = WAIT_S,
    monotonic: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> _T:
    """Try until nobody else has it; say once what is waited for, and raise SettingsError after `wait_s`."""
    deadline_s = monotonic() + wait_s
    told = False
    while True:
        try:
            return attempt()
        except Taken as ex:
            if monotonic() >= deadline_s:
                raise SettingsError(f"{ex}; {ex.remedy}") from None
            if not told:
                print(f"taptrade: {ex}; waiting up to {wait_s:.0f} s for it to end", flush=True)
                told = True
        pause(LOOK_EVERY_S)


def claim_all(settings: Settings) -> FileIO:
    """Return the lock of the data folder once everything is free that a run needs."""
    lock = claim(lambda: lock_data(settings))
    claim(lambda: require_free_port(settings.host, settings.port, "TAPTRADE_PORT"))
    claim(lambda: require_free_port("127.0.0.1", settings.dashboard_port, "TAPTRADE_DASHBOARD_PORT"))
    if not settings.redis_url:
        claim(lambda: require_free_redis(settings.data))
    return lock


def lock_data(settings: Settings) -> FileIO:
    """Create the data folder, hold its lock and leave our address in it; two runs on one ledger are two writers."""
    try:
        return acquire(running.lock_file(settings.data), running.described(settings))
    except OSError as ex:
        raise SettingsError(f"TAPTRADE_DATA={settings.data}: cannot write there: {ex.strerror}") from ex
    except LockHeld:
        run = running.recorded(settings.data)
        holder = "another run" if run is None else f"another run, {holders.name_of(run.pid)}"
        raise Taken(str(settings.data), holder, "stop it or set TAPTRADE_DATA") from None


def require_free_port(host: str, port: int, variable: str) -> None:
    """Raise if the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as ex:
            if ex.errno == errno.EADDRINUSE:
                raise Taken(f"{host}:{port}", holders.port_holder(port), f"stop it or set {variable}") from ex
            raise SettingsError(f"cannot listen on {host}:{port} ({ex.strerror}); set {variable}") from ex


def require_free_redis(data: Path) -> None:
    """Raise if the Redis of a run that was killed still saves: ending, it would take the next one's socket away."""
    path = sockets.folder_of(data / "run") / sockets.REDIS
    pid = holders.socket_holder(path)
    if pid is not None:
        raise Taken(str(path), holders.name_of(pid), "stop it")
