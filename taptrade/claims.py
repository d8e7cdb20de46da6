"""Claim what only one run can have: data folder, ports, Redis' socket. The last run gets some seconds to let go."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import TypeVar

from runtime.process_lock import LockHeld, acquire, is_held, name_of
from runtime.settings import Settings, SettingsError
from taptrade import holders, running, sockets
from taptrade.listening import address_of, with_port

WAIT_S = 15.0
"""A stop under load takes some seconds: open requests are answered, jobs ended, the writer drained."""
LOOK_EVERY_S = 0.1
_T = TypeVar("_T")


class Taken(Exception):
    """Another process has it: what, who as far as one looks, and what else to do than wait."""

    def __init__(self, what: str, holder: Callable[[], str], remedy: str) -> None:
        self.what = what
        self.holder = holder
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} is in use by {self.holder()}"


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


def await_all(settings: Settings) -> None:
    """Wait until everything is free that a run needs; this takes nothing and writes nothing."""
    claim(lambda: require_no_run(settings))
    claim(lambda: require_free_port(settings.host, settings.port, ("TAPTRADE_HOST", "TAPTRADE_PORT")))
    dashboard = ("TAPTRADE_DASHBOARD_HOST", "TAPTRADE_DASHBOARD_PORT")
    claim(lambda: require_free_port(settings.dashboard_host, settings.dashboard_port, dashboard))
    if not settings.redis_url:
        claim(lambda: require_free_redis(settings.data))


def require_no_run(settings: Settings) -> None:
    """Raise if a run holds the data folder; two runs on one ledger are two writers."""
    if is_held(running.lock_file(settings.data)):
        raise Taken(str(settings.data), lambda: _run_in(settings.data), "stop it or set TAPTRADE_DATA")


def _run_in(data: Path) -> str:
    run = running.recorded(data)
    return "another run" if run is None else f"another run, {name_of(run.pid)}"


def lock_data(settings: Settings) -> FileIO:
    """Create the data folder, hold its lock and leave our address in it."""
    try:
        return acquire(running.lock_file(settings.data), running.described(settings))
    except OSError as ex:
        raise SettingsError(f"TAPTRADE_DATA={settings.data}: cannot write there: {ex.strerror}") from ex
    except LockHeld:
        raise SettingsError(f"{settings.data} was taken by another run in this moment; set TAPTRADE_DATA") from None


def require_free_port(host: str, port: int, variables: tuple[str, str]) -> None:
    """Raise if the port cannot be listened on; the variables are those that set host and port."""
    set_host, set_port = variables
    address = address_of(host, set_host)
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as ex:
            if ex.errno == errno.EADDRINUSE:
                remedy = f"stop it or set {set_port}"
                raise Taken(with_port(host, port), lambda: holders.port_holder(port), remedy) from ex
            variable = set_port if ex.errno == errno.EACCES else set_host
            raise SettingsError(f"cannot listen on {with_port(host, port)} ({ex.strerror}); set {variable}") from ex


def require_free_redis(data: Path) -> None:
    """Raise if the Redis of a run that was killed still saves: ending, it would take the next one's socket away."""
    if not (data / "run").exists():
        return
    path = sockets.folder_of(data / "run") / sockets.REDIS
    pid = holders.socket_holder(path)
    if pid is not None:
        raise Taken(str(path), lambda: name_of(pid), "stop it")
