"""The stored ticks: what the feed appends to ticks.db, and what settlement and the price history read from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from runtime.clock import Clock
from runtime.game.statements import read_statements
from runtime.game.ticks import Features, Tick
from runtime.storage.migrate import migrate

MIGRATIONS = Path(__file__).parent / "migrations_ticks"
KEEP_MS = 7 * 24 * 3600 * 1000
COLUMNS = "id, exchange_ms, close, low, high, sources, features"
TICKS = read_statements("runtime.storage", "ticks.sql", tick_columns=COLUMNS)

WAIT_TICKS_MAX = 200
"""Twice what the longest fill delay can hold: ten seconds of ticks at ten a second."""

_features = msgspec.json.Decoder(Features)
_encoder = msgspec.json.Encoder()


class Executor(Protocol):
    """Anything that runs one statement and returns all its rows, such as runtime.storage.database.Database."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows."""
        ...


def prepare(path: Path, clock: Clock) -> list[str]:
    """Create or update the tables of `path`; return the names of the migrations applied."""
    return migrate(path, MIGRATIONS, clock)


def tick_of(row: Sequence[Any]) -> Tick:
    """Build a tick from a row of COLUMNS."""
    tick_id, exchange_ms, close, low, high, sources, features = row
    return Tick(tick_id, exchange_ms, close, low, high, sources, _features.decode(features))


def append(db: Executor, tick: Tick) -> None:
    """Store a tick and commit; an id that is already there raises IntegrityError."""
    db.execute(
        TICKS["insert_tick"],
        (
            tick.id,
            tick.exchange_ms,
            tick.close,
            tick.low,
            tick.high,
            tick.sources,
            _encoder.encode(tick.features).decode(),
        ),
    )


def latest(db: Executor) -> Tick | None:
    """Return the newest tick."""
    return _one(db, TICKS["newest_tick"])


def between(db: Executor, from_ms: int, to_ms: int, limit: int) -> list[Tick]:
    """Return the ticks with from_ms <= id < to_ms, oldest first, at most `limit`."""
    return _many(db, TICKS["ticks_between"], (from_ms, to_ms, limit))


def of_wait(db: Executor, from_ms: int, to_ms: int) -> list[Tick]:
    """Return the ticks with from_ms <= id < to_ms of a bet's wait for its fill, oldest first."""
    return between(db, from_ms, to_ms, WAIT_TICKS_MAX)


def window(db: Executor, start_ms: int, end_ms: int) -> tuple[Tick | None, list[Tick], Tick | None]:
    """Return the path of a window: the tick carried in, those with start <= id < end, and the first one after.

    The tick carried in is the last one at or before the start, so a tick at the very start is carried in
    and is the first of the window's own. A window holds at most ten ticks a second.
    """
    carried = _one(db, TICKS["tick_carried_in"], (start_ms,))
    ticks = _many(db, TICKS["ticks_of_window"], (start_ms, end_ms))
    following = _one(db, TICKS["tick_following"], (end_ms,))
    return carried, ticks, following


def oldest_id(db: Executor) -> int | None:
    """Return the id of the oldest tick that is kept."""
    oldest: int | None = db.execute(TICKS["oldest_tick"])[0][0]
    return oldest


def trim(db: Executor, before_ms: int, limit: int) -> int:
    """Delete at most `limit` of the ticks older than `before_ms`, oldest first; return how many."""
    deleted = db.execute(TICKS["trim_ticks"], (before_ms, limit))
    return len(deleted)


def _one(db: Executor, sql: str, params: Sequence[Any] = ()) -> Tick | None:
    found = _many(db, sql, params)
    return found[0] if found else None


def _many(db: Executor, sql: str, params: Sequence[Any]) -> list[Tick]:
    return [tick_of(row) for row in db.execute(sql, params)]
