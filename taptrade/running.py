"""Which run holds a data folder, and where its API is: read in one terminal, written by `taptrade up` in another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from runtime.process_lock import is_held
from runtime.settings import Settings
from taptrade.listening import url_of


class Run(msgspec.Struct, frozen=True):
    """A run: the process that holds its data folder, its addresses, and what its logins and bets are signed for."""

    pid: int
    host: str
    port: int
    dashboard_host: str
    dashboard_port: int
    domain: str
    chain_id: int

    @property
    def url(self) -> str:
        """Where its API answers."""
        return url_of(self.host, self.port)


def lock_file(data: Path) -> Path:
    """Return the file that a run locks for as long as it lives; it tells about the run."""
    return data / "run" / "lock"


def described(settings: Settings) -> bytes:
    """Return what we leave in the lock file: who we are."""
    addresses = (settings.host, settings.port, settings.dashboard_host, settings.dashboard_port)
    run = Run(os.getpid(), *addresses, settings.domain, settings.chain_id)
    return msgspec.json.encode(run) + b"\n"


def recorded(data: Path) -> Run | None:
    """Return what the lock file tells, whether that run still lives or not."""
    try:
        return msgspec.json.decode(lock_file(data).read_bytes(), type=Run)
    except (OSError, msgspec.DecodeError):
        return None


def find(data: Path) -> Run | None:
    """Return the run that holds a data folder; None if nothing runs there."""
    return recorded(data) if is_held(lock_file(data)) else None


def find_unless_told(settings: Settings, port: str = "PORT") -> Run | None:
    """Return the run of the data folder, unless the environment says to ask another port than it has."""
    run, field = find(settings.data), port.lower()
    told_another = is_told(port) and run is not None and getattr(run, field) != getattr(settings, field)
    return None if told_another else run


def is_told(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a setting comes from the environment."""
    return bool(environ.get(f"TAPTRADE_{name}", "").strip())
