"""A house moves from SQLite's file into PostgreSQL: every row as it is, so the hashes of all commits stay.

The file is only read, with nobody beside. Rows go over in batches of one transaction each, so a run that is killed at
any moment has lost nothing, and the next one goes on behind the last rows. Commits go last: until then the database
holds none, and no house starts on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.game.ledger import SQL
from runtime.game.statements import fill, read_statements
from runtime.postgresql import schema
from runtime.postgresql.connection import PostgresDatabase
from runtime.storage.connection import Database, Row
from runtime.storage.database import LEDGER_MIGRATIONS, naming, open_reader
from runtime.storage.migrate import alone, missing_migrations
from runtime.storage.remake import Progress, origin

MOVING = read_statements("runtime.postgresql", "moving.sql")
BATCH_ROWS = 10_000
FIRST_TEXT = ""


class NotMoved(TaptradeError):
    """The house cannot be moved, or not from here on; what it moves from is as it was."""


@dataclass(frozen=True, slots=True)
class Step:
    """One table: by which key it goes on, from which on, and the statement that reads it if that is one of its own."""

    table: str
    key: str = ""
    first: Any = -(2**62)
    read: str = ""


STEPS = (
    Step("users", "seq"),
    Step("delegations", "seq"),
    Step("player_keys", "number"),
    *map(Step, ("adoptions", "erasures", "archives", "cut", "opening_balances")),
    Step("pricings", "seq"),
    Step("bet_rows", "seq", read=MOVING["bets_after"]),
    Step("entry_rows", "id", FIRST_TEXT, MOVING["entries_after"]),
    Step("gesture_rows", "seq", read=MOVING["gestures_after"]),
    Step("columns", "start_s"),
    *map(Step, ("withdrawals", "operations", "idempotency_keys", "player_limits", "rules_in_force")),
    *map(Step, ("breaker_overrides", "buckets", "bucket_changes")),
    Step("commit_rows", "number", read=MOVING["commits_after"]),
)
"""In an order in which no row names one that is still to come."""
NUMBERED = (("users", "seq"), ("delegations", "seq"), ("player_keys", "number"))
Check = Callable[[Database, Database], None]
"""Raises NotMoved if what has come is not what was there."""


def move(path: Path, url: str, clock: Clock, progress: Progress, check: Check) -> int:
    """Move the ledger at `path` into the database of `url`; return the number of its newest commit.

    Raise NotMoved where it cannot be: the file is in use or lets go of archived rows still, or the database has a
    ledger of its own.
    """
    with naming(path):
        if not path.exists():
            raise NotMoved(f"there is no database at {path}; an absolute path has four slashes, as in sqlite:////data")
        lacks = missing_migrations(path, LEDGER_MIGRATIONS)
    if lacks:
        raise NotMoved(f"{path} lacks the migration {lacks[0].name}; `taptrade migrate` alone applies it")
    schema.migrate(url, clock, is_moving=True)
    with closing(PostgresDatabase(url, prepare="", lock=True)) as new, alone(path) as old:
        _begin(old, new)
        for step in STEPS:
            _move_table(old, new, step, progress)
        for table, key in NUMBERED:
            new.execute(fill(MOVING["go_on_after"], table=table, key=key))
        _compare(old, new)
        new.run_script("ANALYZE")
        with closing(open_reader(path)) as reader:
            check(reader, new)
        new.execute(MOVING["drop_origin"])
        return origin(old)[0]


def _begin(old: Database, new: PostgresDatabase) -> None:
    of = origin(old)
    if old.execute(SQL["has_archived_rows"]) != [(0, 0)]:
        raise NotMoved("rows that an archive holds are still being let go of; let the house run until that has ended")
    if schema.is_moving(new):
        begun = new.execute(MOVING["origin"])
        if begun != [of]:
            raise NotMoved("a move of another ledger, or another state of it, was begun here: make an empty database")
        return
    if _count(new, "commit_rows") or _count(new, "users"):
        raise NotMoved("the database of TAPTRADE_DATABASE_URL holds a ledger of its own already")
    with new.transaction():
        new.execute(MOVING["make_origin"])
        new.execute(MOVING["insert_origin"], of)
        new.execute(MOVING["clear_cut"])


def _move_table(old: Database, new: PostgresDatabase, step: Step, progress: Progress) -> None:
    names = [name for (name,) in new.execute(MOVING["columns_here"], (step.table,))]
    columns = ", ".join(f'"{name}"' for name in names)
    copy = fill(MOVING["copy_in"], table=step.table, columns=columns)
    count, done = _count(old, step.table), _count(new, step.table)
    if not step.key:
        rows = old.execute(fill(MOVING["whole_table"], table=step.table, columns=columns)) if done < count else []
        with new.transaction():
            new.copy_in(copy, rows)
        progress(step.table, count, count)
        return
    read = step.read or fill(MOVING["rows_after"], table=step.table, columns=columns, key=step.key)
    ((last,),) = new.execute(fill(MOVING["last_key"], table=step.table, key=step.key))
    for some in _batches(old, read, names.index(step.key), step.first if last is None else last):
        with new.transaction():
            new.copy_in(copy, some)
        done += len(some)
        progress(step.table, done, count)


def _batches(old: Database, read: str, key_at: int, last: Any) -> Iterator[Sequence[Row]]:
    while rows := old.execute(read, (last, BATCH_ROWS)):
        yield rows
        last = rows[-1][key_at]


def _compare(old: Database, new: Database) -> None:
    for step in STEPS:
        there, here = _count(old, step.table), _count(new, step.table)
        if there != here:
            raise NotMoved(f"{step.table} has {here} rows here and {there} there")
    if origin(old) != origin(new):
        raise NotMoved("the newest commit here is not that of there")


def _count(database: Database, table: str) -> int:
    ((count,),) = database.execute(fill(MOVING["rows_of"], table=table))
    return int(count)
