"""The file of erasures, beside the databases and each of their copies: who was forgotten, whatever a database knows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import TaptradeError

ERASURES_FILE = "erasures.jsonl"


class ErasuresUnreadable(TaptradeError):
    """The list of erasures cannot be read."""


class Erased(msgspec.Struct, frozen=True):
    """A player who was forgotten: only the account's id is left."""

    user_id: str
    erased_ms: int
    who: str
    why: str

    @classmethod
    def of_row(cls, row: tuple[Any, ...]) -> Erased:
        """Return what a row of `erasures` says."""
        user_id, who, why, erased_ms = row
        return cls(user_id, erased_ms, who, why)


class ErasedFile:
    """One erasure a line; lines are only added."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Erased]:
        """Return what it lists; a line that a crash left unfinished at the end is none.

        Raise ErasuresUnreadable if there is anything else in it: whom it does not tell of would be known again.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
            return [msgspec.json.decode(line, type=Erased) for line in lines[:-1] if line]
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as ex:
            raise ErasuresUnreadable(f"{self.path}: the list of forgotten players cannot be read: {ex}") from ex

    def add(self, erasures: Iterable[Erased]) -> None:
        """Add those that are not in it, to the disk."""
        known = {one.user_id for one in self.read()}
        new = [one for one in erasures if one.user_id not in known]
        if not new:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            file.seek(0)
            # What a crash left unfinished would spoil the line that is written behind it.
            file.truncate(file.read().rfind(b"\n") + 1)
            file.writelines(msgspec.json.encode(one) + b"\n" for one in new)
            file.flush()
            os.fsync(file.fileno())
