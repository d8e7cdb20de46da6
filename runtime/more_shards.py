"""Sees that the house has more shards than a process began with, so that it begins anew while bets go on.

Whoever serves one ledger of a house need not know of others. The workers of the API and the functions do: the master
of the workers is told by a file, since it asks no database.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

EVERY_S = 5.0
BEGIN_ANEW = 75
"""What a process ends with that is to be begun anew at once."""


class MoreShards:
    """Whether there are more than were `known`; `look` asks, again and again."""

    def __init__(
        self, ask: Callable[[], int], known: int, tell: Callable[[int], object], outages: type[Exception]
    ) -> None:
        """`tell` hears of each number that is new; `outages` is what `ask` raises where nobody answers."""
        self._ask = ask
        self._outages = outages
        self._known = known
        self._tell = tell

    def look(self) -> None:
        """Ask once; where nobody answers, the next time will do."""
        try:
            shards = self._ask()
        except self._outages:
            return
        if shards > self._known:
            self._tell(shards)
            self._known = shards


def note(data: Path, shards: int) -> None:
    """Tell the master of this machine's API how many there are."""
    file = _file(data)
    written = file.with_suffix(f".{os.getpid()}")
    written.write_text(str(shards))
    written.replace(file)


def correct(data: Path, shards: int) -> None:
    """Note how many there are where something else is noted, of a database that this folder served before."""
    if noted(data) not in (0, shards):
        note(data, shards)


def noted(data: Path) -> int:
    """Return what was noted last, 0 if nothing was."""
    try:
        return int(_file(data).read_text())
    except (OSError, ValueError):
        return 0


def _file(data: Path) -> Path:
    return data / "run" / "shards"
