"""The versions of the set of functions: copies that nothing changes, and the pointer to the one in service."""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from runtime.errors import TaptradeError
from runtime.function_files import functions_folder
from runtime.function_versions import OWN, Pointer, folder_of_sets, house_id, in_service, set_of
from runtime.process_lock import LockHeld, acquire
from runtime.storage.files import to_disk

KEPT = 10
"""So many of the newest versions are kept, and those in service and before it."""
BYTES_MAX = 32 * 1024 * 1024
READ_ONLY = 0o400
LEFT_OUT = "__pycache__"


class CannotKeep(TaptradeError):
    """A folder cannot be made a version; nothing was changed."""


class NoSuchVersion(TaptradeError):
    """There is no such version."""


class FunctionSet(msgspec.Struct, frozen=True):
    """One version: when it was made, from what, and which version it took the place of."""

    version: int
    made_ms: int
    note: str
    source: str
    digest: str
    before: int
    """The version in service when this one was made: the way back."""
    found: bool = False
    """A start found it in the house's own folder; nobody has deployed it."""
    failed: bool = False
    """It did not come up, and the version before was taken back."""


@contextmanager
def sole_deployment(data: Path) -> Iterator[None]:
    """Let nobody else change what is in service within the block; raise LockHeld where somebody does."""
    try:
        lock = acquire(folder_of_sets(data) / "lock", f"{os.getpid()}\n".encode())
    except LockHeld as ex:
        raise LockHeld("another deployment is under way; nothing was changed") from ex
    with lock:
        yield


def versions(data: Path) -> list[FunctionSet]:
    """Return the versions that are kept, the oldest first."""
    found = []
    for number in _numbers(data):
        with suppress(OSError, msgspec.DecodeError):  # one that was never finished
            found.append(msgspec.json.decode(_description(data, number).read_bytes(), type=FunctionSet))
    return found


def version_of(data: Path, number: int) -> FunctionSet:
    """Return a version; raise NoSuchVersion."""
    for one in versions(data):
        if one.version == number:
            return one
    raise NoSuchVersion(f"there is no version {number}; `taptrade versions` lists those that are kept")


def copy_in(data: Path, source: Path) -> int:
    """Copy a folder of functions in, as the version to come; `finish` makes it one. Return its number."""
    numbers = _numbers(data)
    known = {one.version for one in versions(data)}
    for left in set(numbers) - known:
        discard(data, left)
    number = max(known, default=OWN) + 1
    target = set_of(data, number)
    target.mkdir(parents=True)
    for file in _files(source):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    (target / "__init__.py").touch()
    return number


def finish(data: Path, made: FunctionSet) -> None:
    """Make what was copied in a version that nothing changes and a loss of power does not undo."""
    top = set_of(data, made.version)
    for file in top.rglob("*.py"):
        py_compile.compile(str(file), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    for path in [*top.rglob("*"), top]:
        if path.is_file():
            path.chmod(READ_ONLY)
        to_disk(path)
    describe(data, made)


def describe(data: Path, made: FunctionSet) -> None:
    """Write down what a version is."""
    _replace(_description(data, made.version), msgspec.json.format(msgspec.json.encode(made)))
    to_disk(folder_of_sets(data))


def discard(data: Path, number: int) -> None:
    """Remove a version, or what was left of one."""
    _description(data, number).unlink(missing_ok=True)
    shutil.rmtree(folder_of_sets(data) / str(number))


def pointer_to(version: int, now_ms: int) -> Pointer | None:
    """Return the pointer that puts a version into service with this house."""
    return None if version == OWN else Pointer(version, house_id(), now_ms)


def point(data: Path, to: Pointer | None) -> None:
    """Put a version into service: processes see it at their next look."""
    path = folder_of_sets(data) / "serving"
    if to is None:
        path.unlink(missing_ok=True)
        to_disk(path.parent)
    else:
        _replace(path, msgspec.json.encode(to))


def forget_old(data: Path) -> None:
    """Remove the versions that are neither in service nor the way back from there nor among the newest."""
    needed = _needed(data)
    for one in versions(data)[:-KEPT]:
        if one.version not in needed:
            discard(data, one.version)


def _needed(data: Path) -> set[int]:
    serving = in_service(data)
    return {serving, *(one.before for one in versions(data) if one.version == serving)}


def keep_own(data: Path, now_ms: int) -> int:
    """Keep the house's own functions as a start finds them, unless they are kept already; return their version.

    Whoever deploys after that has changed them, and the way back leads to them as they were.
    """
    source = functions_folder()
    digest = digest_of(source)
    for one in versions(data):
        if one.found and one.digest == digest:
            return one.version
        if one.found and one.version not in _needed(data):
            discard(data, one.version)
    number = copy_in(data, source)
    finish(data, FunctionSet(number, now_ms, "found at a start", str(source), digest, OWN, found=True))
    return number


def digest_of(source: Path) -> str:
    """Return what tells apart sets of functions: names and contents."""
    digest = hashlib.sha256()
    for file in _files(source):
        digest.update(f"{file.relative_to(source)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(source: Path) -> list[Path]:
    """Return the files of a folder of functions; raise CannotKeep where it is none."""
    if not source.is_dir():
        raise CannotKeep(f"{source}: there is no such folder")
    found = [
        path for path in sorted(source.rglob("*")) if path.is_file() and not _is_left_out(path.relative_to(source))
    ]
    if not any(path.suffix == ".py" for path in found):
        raise CannotKeep(f"{source}: no function in here")
    if sum(path.stat().st_size for path in found) > BYTES_MAX:
        raise CannotKeep(f"{source}: more than {BYTES_MAX} bytes are no set of functions")
    return found


def _is_left_out(path: Path) -> bool:
    return any(part.startswith(".") or part == LEFT_OUT for part in path.parts)


def _numbers(data: Path) -> list[int]:
    folder = folder_of_sets(data)
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(name) for name in names if name.isdecimal())


def _description(data: Path, number: int) -> Path:
    return folder_of_sets(data) / str(number) / "set.json"


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    to_disk(new)
    new.rename(path)
    to_disk(path.parent)
