"""How far the events of a function were told: kept in functions.db, which survives a crash and the loss of Redis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from runtime.game.shards import begins_after
from runtime.game.statements import read_statements
from runtime.storage.database import Database
from runtime.triggers import Event

POSITIONS = read_statements("jobs.triggers", "positions.sql")
ERROR_LENGTH_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Position:
    """The last commit that was told, the last entry of the public bus that was looked at, the breaker's last state."""

    commit: int
    public_id: str
    breaker: str


def position_of(function: str, shard: int) -> str:
    """Return the name that a function's position in a shard is kept under; no function's name has an `@`."""
    return function if shard == 1 else f"{function}@{shard}"


class Positions:
    """The position of one function, in the chain of one shard."""

    def __init__(self, database: Database, function: str, shard: int = 1) -> None:
        self._database = database
        self._function = position_of(function, shard)

    def begin(self, now: Position) -> Position:
        """Return where the function stands: a new one where the house does now, none beyond that."""
        self._database.execute(POSITIONS["begin_position"], (self._function, now.commit, now.public_id, now.breaker))
        self._database.execute(POSITIONS["step_back"], (now.commit, self._function, now.commit))
        return Position(*self._database.execute(POSITIONS["position"], (self._function,))[0])

    def move(self, to: Position) -> None:
        """Keep that everything up to here was told."""
        self._database.execute(POSITIONS["move_position"], (to.commit, to.public_id, to.breaker, self._function))

    def set_aside(self, event: Event, error: str, now_ms: int) -> None:
        """Keep an event that the function could not take, so that those behind it are told."""
        text = msgspec.json.encode(event).decode()
        row = (self._function, event.id, text, error[:ERROR_LENGTH_MAX], now_ms)
        self._database.execute(POSITIONS["set_aside"], row)


def furthest(database: Database) -> int:
    """Return the last commit that any function was told of, 0 if there is none."""
    return int(database.execute(POSITIONS["furthest"])[0][0] or 0)


def step_back(database: Database, commit: int) -> list[str]:
    """Let every function go on from this commit that was told of more; return their names."""
    names = sorted(name for (name,) in database.execute(POSITIONS["step_all_back"], (commit,)))
    database.execute(POSITIONS["forget_set_aside"], (commit,))
    return names


def follow_new_shards(database: Database, functions: Iterable[str], shards: int) -> None:
    """Let functions that are told of the house already be told of all that a shard has told since it was added.

    Before any of them begins: one that is new is told of what comes, in every shard.
    """
    stored = {name for (name,) in database.execute(POSITIONS["known_positions"])}
    for function in sorted(stored.intersection(functions)):
        for shard in range(2, shards + 1):
            # Its first commit has nothing in it.
            database.execute(
                POSITIONS["begin_position"], (position_of(function, shard), begins_after(shard) + 1, "", "")
            )


def forget_others(database: Database, known: Iterable[str]) -> list[str]:
    """Forget the positions of functions that are not declared any more; return their names."""
    stored = {name for (name,) in database.execute(POSITIONS["known_positions"])}
    gone = sorted(stored - set(known))
    for name in gone:
        database.execute(POSITIONS["forget_position"], (name,))
    return gone
