"""Which set of functions is in service, and which process serves which: a pointer in the data folder, and locks.

A set that `taptrade deploy` brought lies in `functions/NUMBER/` of the data folder. The pointer names the one in
service; without a pointer, the house's own folder `functions/` is, as version 0. Processes look at the pointer
themselves, so it is the same whether a supervisor, systemd or containers run them.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from io import FileIO
from pathlib import Path

import msgspec

from runtime.errors import TaptradeError
from runtime.process_lock import LockHeld, acquire, is_held
from runtime.version import ROOT, STAMP

OWN = 0
"""The number of the functions that the house brings itself."""
PACKAGE = "functions"
SOURCES = frozenset({".py", ".sql", ".lua"})


class CannotServe(TaptradeError):
    """The functions of a version cannot be taken up."""


class Pointer(msgspec.Struct, frozen=True):
    """The version in service, since when, and the house that it was checked with."""

    version: int
    house: str
    since_ms: int


class Serving(msgspec.Struct, frozen=True):
    """What one process says of itself, for as long as it lives."""

    process: str
    pid: int
    version: int
    house: str


def folder_of_sets(data: Path) -> Path:
    """Return where the versions lie, and the pointer beside them."""
    return data / PACKAGE


def set_of(data: Path, version: int) -> Path:
    """Return where the files of a version lie."""
    return folder_of_sets(data) / str(version) / PACKAGE


@cache
def house_id(root: Path = ROOT) -> str:
    """Return what tells apart houses that functions may not fit: the stamp of an installed build, and runtime/.

    A release brings functions of its own, which count from its start on; in a checkout the commit says nothing.
    """
    digest = hashlib.sha256()
    stamp = root / STAMP
    if stamp.exists():
        digest.update(stamp.read_bytes())
    for file in sorted((root / "runtime").rglob("*")):
        if file.suffix in SOURCES:
            digest.update(f"{file.relative_to(root)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def pointer(data: Path) -> Pointer | None:
    """Return what the pointer says, whatever house it is of; None where it is not there."""
    path = folder_of_sets(data) / "serving"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pointer)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as ex:
        raise CannotServe(f"{path}: {ex}; `taptrade rollback 0` serves the functions of the house itself") from ex


def in_service(data: Path) -> int:
    """Return the version that this house serves: the pointer's, if it was checked with this house; else its own."""
    found = pointer(data)
    return found.version if found is not None and found.house == house_id() else OWN


def take_up(data: Path, version: int) -> None:
    """Let this process import the functions of a version; nothing of another one may be imported by then."""
    if version == OWN:
        return
    files = set_of(data, version)
    if PACKAGE in sys.modules or not files.is_dir():
        raise CannotServe(f"the functions of version {version} cannot be taken up from {files}")
    sys.path.insert(0, str(files.parent))
    _taken_up[:] = [version]


def taken_up() -> int:
    """Return the version that this process has taken up."""
    return _taken_up[0]


_taken_up = [OWN]


def announce(data: Path, process: str, version: int) -> FileIO:
    """Say what this process serves, until what is returned is closed or the process ends."""
    said = msgspec.json.encode(Serving(process, os.getpid(), version, house_id()))
    slot = 0
    while True:
        try:
            return acquire(_announced(data) / f"{process}-{slot}", said)
        except LockHeld:
            slot += 1


def announced(data: Path) -> list[Serving]:
    """Return what living processes say that they serve."""
    held = [file for file in sorted(_announced(data).glob("*-*")) if is_held(file)]
    return [found for file in held for found in _said(file)]


def _said(file: Path) -> Iterator[Serving]:
    try:
        yield msgspec.json.decode(file.read_bytes(), type=Serving)
    except (OSError, msgspec.DecodeError):
        return  # it is just being written


def _announced(data: Path) -> Path:
    return data / "run" / "serving"


class InService:
    """The version that a process serves: it says so once it does, and asks whether another one is in service."""

    def __init__(self, data: Path, process: str, version: int) -> None:
        self._data = data
        self._process = process
        self._version = version
        self._announced: FileIO | None = None

    def begin(self) -> None:
        """Say that what is asked of this process from now on is done by its version."""
        if self._announced is None:
            self._announced = announce(self._data, self._process, self._version)

    def moved(self) -> bool:
        """Tell whether another version is in service; a pointer that cannot be read moves nobody."""
        try:
            return in_service(self._data) != self._version
        except CannotServe:
            return False
