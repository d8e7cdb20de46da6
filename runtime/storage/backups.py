"""The copies of the live database: what lies beside each, and which is the newest."""

from __future__ import annotations

from pathlib import Path

import msgspec

FOLDER = "backups"
PREFIX = "taptrade-"


class Backup(msgspec.Struct, frozen=True):
    """What is written beside each copy: enough to know that it is whole and where the ledger stood."""

    file: str
    made_ms: int
    bytes: int
    sha256: str
    commit: int
    commit_hash: str


def newest_backup(folder: Path) -> Backup | None:
    """Return what is known of the newest copy, None where there is none that is whole."""
    for path in sorted(folder.glob(f"{PREFIX}*.db"), reverse=True):
        try:
            return msgspec.json.decode(path.with_name(path.name + ".json").read_bytes(), type=Backup)
        except (OSError, msgspec.MsgspecError):  # it is being removed, or was put there by hand
            continue
    return None
