"""Where a run has its Unix sockets: in its data folder, or in a private one where that folder's path will not do."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from runtime.settings import SettingsError

CONTROL = "supervisor.sock"
REDIS = "redis.sock"
LITESTREAM = "litestream.sock"
# sun_path holds 108 bytes, the last of which is the terminating zero. supervisord binds its socket under a longer name
# first (the path, a dot and a process id) and then renames it.
PATH_BYTES_MAX = 107 - len(".4194304")
# redis-py splits what the server tells of a client at blanks, and supervisord's configuration ends a value at ` #` and
# ` ;`: a socket's path is made of characters that mean nothing to anybody.
PLAIN = re.compile(r"[A-Za-z0-9/._+@-]+")


def folder_of(run: Path) -> Path:
    """Return the folder of the sockets of the run whose own folder is `run`; it is always the same one."""
    if _will_do(run):
        return run
    temporary = Path(tempfile.gettempdir())
    found = run.stat()
    # A copy of the data folder is another folder, so its run gets sockets of its own.
    digest = hashlib.sha256(f"{found.st_dev}:{found.st_ino}".encode()).hexdigest()[:16]
    folder = f"taptrade-{os.geteuid()}-{digest}"
    return temporary / folder if _will_do(temporary / folder) else Path("/tmp") / folder  # noqa: S108  checked below


def make_folder(run: Path) -> Path:
    """Make the folder of the sockets; raise SettingsError if others could reach into it."""
    folder = folder_of(run)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as ex:
        raise SettingsError(f"{folder}: no place for sockets: {ex.strerror}; {_REMEDY}") from ex
    # Everybody may write into the temporary folder, and so could have made this one before us.
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    if not ours:
        raise SettingsError(f"{folder}: others can write into this folder for sockets; {_REMEDY}")
    return folder


def remove_folder(run: Path) -> None:
    """Remove the private folder of a run that has ended, unless something is left in it."""
    folder = folder_of(run)
    if folder != run:
        try:
            folder.rmdir()
        except OSError:
            return  # a process that was killed has left its socket; the next run takes the place over


_REMEDY = "remove it or set TAPTRADE_DATA to a short path without blanks"


def _will_do(folder: Path) -> bool:
    path = str(folder / CONTROL)
    return PLAIN.fullmatch(path) is not None and len(path) <= PATH_BYTES_MAX
