"""What a run keeps in its data folder is its owner's alone; what others could read there is closed, and said."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from jobs.dashboard.key import KEY_FILE

UMASK = 0o077
OURS = (
    *("archives", "backups", "bets_", KEY_FILE, "function", "heads.jsonl", "logs", "models", "redis", "run"),
    *("taptrade.db", "ticks.db", ".taptrade.db-litestream", ".ticks.db-litestream", ".functions.db-litestream"),
)
"""How the names of what a run writes begin. A folder with anything else in it may be somebody's home."""


def close_to_others(data: Path) -> None:
    """Close a data folder, and all of ours in it, to everybody but its owner; say so on stderr where it was open."""
    if not data.is_dir():
        return
    names = [path.name for path in data.iterdir()]
    if all(map(_is_ours, names)):
        if _close(data):
            _say(f"others could look into {data}; it is closed now")
    elif _is_open(data):
        _say(f"others can look into {data}, where more lies than a run keeps; `chmod 700` it if it is yours alone")
    # A key that others could read is none any more: closing it would hide that from the start that replaces it.
    ours = [data / name for name in names if _is_ours(name) and name != KEY_FILE]
    closed = sum(_close(path) for one in ours for path in _tree(one))
    if closed:
        _say(f"others could reach {closed} files and folders in {data}; they are closed now")


def open_to_others(data: Path) -> list[Path]:
    """Return what a run keeps in its data folder and others can look into, the folder itself included."""
    if not data.is_dir():
        return []
    ours = [path for path in data.iterdir() if _is_ours(path.name)]
    found = [data, *(path for one in ours for path in _tree(one))]
    return [path for path in found if not path.is_symlink() and path.exists() and _is_open(path)]


def _is_ours(name: str) -> bool:
    return name.startswith(OURS)


def _tree(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir() and not path.is_symlink():
        yield from path.rglob("*")


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & UMASK)


def _close(path: Path) -> bool:
    """Take the rights of others away; tell whether there were any."""
    if path.is_symlink() or not path.exists() or not _is_open(path):
        return False
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~UMASK)
    except PermissionError:
        _say(f"others can reach {path}, and this user may not change that")
        return False
    return True


def _say(sentence: str) -> None:
    print(f"taptrade: {sentence}", file=sys.stderr, flush=True)
