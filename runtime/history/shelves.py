"""The databases that hold a house's past, newest first: the live one, then the files of weeks that lie here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runtime.archive.files import attached
from runtime.archive.manifest import Content
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.game.cuts import Cut
from runtime.game.ledger import read_cut
from runtime.game.statements import read_statements
from runtime.storage.database import DatabaseError
from runtime.storage.read_pool import ReadPool, directly

PAST = read_statements("runtime.history", "history.sql")


def upto_of(execute: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]) -> Cut:
    """Return up to where the rows of a week's file count."""
    ((content,),) = execute(PAST["upto"], ())
    return msgspec.json.decode(content, type=Content).cut


@dataclass(frozen=True, slots=True)
class Shelf:
    """One database, and which of its rows count: those after one cut and up to another; None: up to the newest."""

    pool: ReadPool
    after: Cut
    upto: Cut | None


class Shelves:
    """Find the files of weeks, and keep them open for as long as they lie there."""

    def __init__(
        self, live: ReadPool, data: Path, clock: Clock, apply: Callable[[Callable[[], Any]], Any] = directly
    ) -> None:
        self.live = live
        self._data = data
        self._clock = clock
        self._apply = apply
        self._open: dict[tuple[Path, int], Shelf] = {}

    def weeks(self) -> list[Shelf]:
        """Return the files that lie here and hold rows that count, newest first."""
        found: dict[tuple[Path, int], Shelf] = {}
        for path in attached(self._data).values():
            try:
                key = path, path.stat().st_ino
                found[key] = self._open.get(key) or self._shelf(path)
            except (OSError, DatabaseError, Unavailable, msgspec.MsgspecError):
                continue  # it is being removed, or is no file of ours
        self._open = found
        return [one for one in found.values() if one.upto is not None and one.upto.cut_commit > one.after.cut_commit]

    def _shelf(self, path: Path) -> Shelf:
        pool = ReadPool(path, self._clock, self._apply)
        return Shelf(pool, pool.together(read_cut), upto_of(pool.execute))
