"""A database made anew: its rows are copied into a new file, which takes the old one's name once it is whole.

The old file stays as it is until then, so a run that is killed at any moment has lost nothing, and the next one goes on
behind the last rows that were committed. A file that is made of another state of the ledger is begun again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from runtime.errors import TaptradeError
from runtime.game.bets import from_row
from runtime.game.chain import Header
from runtime.game.ids import entry_key, ulid_key
from runtime.game.ledger import SQL
from runtime.game.row_numbers import RowNumbers
from runtime.game.rows import ROWS, commit_row, entry_row
from runtime.game.statements import fill, read_statements
from runtime.storage.files import to_disk

REMAKE = read_statements("runtime.storage", "remake.sql")
BATCH_ROWS = 10_000
MANY = ("commits", "bets", "transaction_ledger")
FIRST = ("users", "delegations")
"""What other rows name."""
NEEDED_SHARE = 0.6
"""Of the old file's size, on the disk."""

Row = tuple[Any, ...]
Step = Callable[["Connection", "Connection", Any], list[Row]]
Progress = Callable[[str, int, int], None]
"""Told what is copied, how many rows are, and how many there will be."""


class NotRemade(TaptradeError):
    """The new file does not hold what the old one did, or cannot be made; the old one is as it was."""


class Connection(Protocol):
    """What is needed of a database."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""
        ...

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of `rows`."""
        ...

    def iterate(self, sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a statement and yield its rows as they are read."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end."""
        ...


def new_file_of(path: Path) -> Path:
    """Return where a database is made anew."""
    return path.with_name(f"{path.name}.new")


def require_space(path: Path) -> None:
    """Raise NotRemade if the disk may become full."""
    needed, free = int(NEEDED_SHARE * path.stat().st_size), shutil.disk_usage(path.parent).free
    if needed > free:
        raise NotRemade(f"the new file may take {needed >> 20} MB of the disk, {free >> 20} MB are free")


def origin(old: Connection) -> tuple[int, str]:
    """Return the state of the ledger that a new file is made of."""
    ((number, head),) = old.execute(REMAKE["head"])
    return number, head


def is_begun(new: Connection, of: tuple[int, str]) -> bool:
    """Tell whether a new file is one that a run before began to make of this state."""
    tables = [name for name, _ in new.execute(REMAKE["schema"])]
    return "remade_from" in tables and new.execute(REMAKE["origin"])[0][:2] == of


def remove(made: Path) -> None:
    """Remove a new file that nobody goes on with."""
    for name in (made, f"{made}-wal", f"{made}-shm"):
        Path(name).unlink(missing_ok=True)


def begin(new: Connection, of: tuple[int, str]) -> None:
    """Say in a new file, whose tables are there and empty, what it is made of."""
    with new.transaction():
        new.execute(REMAKE["make_origin"])
        new.execute(REMAKE["insert_origin"], of)


def copy(old: Connection, new: Connection, progress: Progress) -> None:
    """Copy what the new file lacks; raise NotRemade if it does not hold as many rows in the end."""
    if not new.execute(REMAKE["origin"])[0][2]:
        _copy_tables(old, new)
    counts = old.execute(REMAKE["counts"])[0]
    state = zip(STEPS, MANY, new.execute(REMAKE["copied"])[0], new.execute(REMAKE["counts"])[0], counts, strict=True)
    for step, name, last, done, count in state:
        for copied in _copied(old, new, step, last):
            progress(name, done + copied, count)
    held = new.execute(REMAKE["counts"])[0]
    if (held, origin(new)) != (counts, origin(old)):
        raise NotRemade(f"the new file holds {held} commits, bets and entries, not {counts}")


def finish(new: Connection) -> None:
    """Leave nothing in the file that says how it was made."""
    new.execute(REMAKE["drop_origin"])


def replace(path: Path) -> None:
    """Give the new file the old one's name; no connection may be open to it."""
    made = new_file_of(path)
    if made.with_name(f"{made.name}-wal").exists():
        raise NotRemade(f"{made} is in use")
    shutil.copymode(path, made)
    to_disk(made)
    made.rename(path)
    to_disk(path.parent)


def _copy_tables(old: Connection, new: Connection) -> None:
    """Copy all tables but the three with many rows, in one transaction."""
    there = {name for name, _ in new.execute(REMAKE["schema"])}
    tables = {name: sql for name, sql in old.execute(REMAKE["schema"]) if name not in MANY}
    with new.transaction():
        for name in sorted(tables, key=lambda name: (*(name != first for first in FIRST), name)):
            if name not in there:
                new.execute(tables[name])
            names = [column for (column,) in old.execute(REMAKE["columns_of"], (name,))]
            marks = {"table": name, "columns": ", ".join(names), "values": ", ".join("?" * len(names))}
            read = REMAKE["rows_as_created"] if name in FIRST else REMAKE["table_rows"]
            rows = old.iterate(fill(read, table=name, columns=marks["columns"]))
            while some := list(islice(rows, BATCH_ROWS)):
                new.execute_many(fill(REMAKE["insert_rows"], **marks), some)
        new.execute(REMAKE["tables_done"])


def _copied(old: Connection, new: Connection, step: Step, last: Any) -> Iterator[int]:
    """Copy the rows after the last one that is there, in batches of one transaction each; yield how many so far."""
    done = 0
    while True:
        with new.transaction():
            rows = step(old, new, last)
        if not rows:
            return
        last, done = rows[-1][0], done + len(rows)
        yield done


def _copy_commits(old: Connection, new: Connection, after: Any) -> list[Row]:
    rows = old.execute(REMAKE["commits_after"], (after, BATCH_ROWS))
    written = []
    for row in rows:
        header = Header(*row[:-2])
        made = commit_row(header, row[-2], row[-1])
        for entry_id, position in ((header.first_entry, made[8]), (header.last_entry, made[9])):
            if ulid_key(entry_id) != entry_key(header.committed_ms, header.number, position):
                raise NotRemade(f"commit {header.number} names an entry {entry_id}, which is none of its own")
        written.append(made)
    new.execute_many(SQL["insert_commit"], written)
    return rows


def _copy_bets(old: Connection, new: Connection, after: Any) -> list[Row]:
    rows = old.execute(REMAKE["bets_after"], (after, BATCH_ROWS))
    new.execute_many(ROWS["insert_bet"], RowNumbers().bet_rows(new.execute, [*map(from_row, rows)]))
    return rows


def _copy_entries(old: Connection, new: Connection, after: Any) -> list[Row]:
    rows = old.execute(REMAKE["entries_after"], (after, BATCH_ROWS))
    players = RowNumbers().meet(new.execute, {row[1] for row in rows})
    written = []
    for *entry, number, previous_id in rows:
        entry_id, user_id, created_ms, commit, position = entry[0], entry[1], *entry[7:10]
        if ulid_key(entry_id) != entry_key(created_ms, commit, position):
            raise NotRemade(f"entry {entry_id} has not the id of its commit and position")
        written.append(entry_row(tuple(entry), players[user_id][0], number, previous_id))
    new.execute_many(ROWS["insert_entry"], written)
    return rows


STEPS = (_copy_commits, _copy_bets, _copy_entries)
