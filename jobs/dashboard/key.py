"""The key that signs the operator in: the one that was set, else one that a start makes in the data folder."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from runtime.settings import Settings

logger = logging.getLogger(__name__)

KEY_BYTES = 32
KEY_FILE = "dashboard.key"


def key_file(data: Path) -> Path:
    """Return the file of the key that was made for a data folder."""
    return data / KEY_FILE


def prepare_key(settings: Settings) -> str:
    """Return the key of this start: a set one, that of the file, or a new one in the file.

    A key that others could read is replaced. Where one is set, none lies in the file: it would not sign anybody in.
    """
    file = key_file(settings.data)
    if settings.dashboard_key:
        file.unlink(missing_ok=True)
        return settings.dashboard_key
    if file.exists() and file.stat().st_mode & 0o077:
        logger.warning("others could read %s: a new key is in it now", file)
        file.unlink()
    return read_key(settings.data) or _made(file)


def read_key(data: Path) -> str:
    """Return the key that was made for a data folder, empty if there is none."""
    try:
        return key_file(data).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _made(file: Path) -> str:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_urlsafe(KEY_BYTES)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(key + "\n")
    fresh.replace(file)
    return key
