"""A stored week opened as a database without being brought back: SQLite reads pages, and these are read by ranges.

The driver of all other databases knows no file systems but the machine's. apsw does, and nothing else imports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from jobs.upkeep.archive_store import ArchiveStore, StoreFailed
from jobs.upkeep.ranges import StoredFile
from jobs.upkeep.restore import Recorded
from runtime.game.ids import SQL_FUNCTIONS
from runtime.storage.database import LEDGER_MIGRATIONS, Row
from runtime.storage.schema import WrongSchema, lacking, migrations_in

CACHE_KIB = 32 * 1024


class OldForm(StoreFailed):
    """The archive can be read whole only: it has no index, or its tables are those of an older version."""


class StoredWeek:
    """One connection to the file of a week where it is stored; it can only be read."""

    def __init__(self, file: StoredFile) -> None:
        self.file = file
        self._system = _System(_Shown(file))
        self._connection = apsw.Connection(
            "file:week?immutable=1",
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
            vfs=self._system.name,
        )
        for function, parameters in SQL_FUNCTIONS:
            self._connection.create_scalar_function(function.__name__, function, parameters, deterministic=True)
        self.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return all its rows; raise StoreFailed if the store fails meanwhile."""
        try:
            return self._connection.execute(sql, params).fetchall()
        except apsw.Error as ex:
            raise StoreFailed(f"the stored week cannot be read: {ex}") from ex

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read several statements from one state: what is stored has no other."""
        yield

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._system.unregister()


class _Shown:
    """The file as SQLite asks for it: apsw wants all of these methods, whatever its documentation leaves out."""

    def __init__(self, file: StoredFile) -> None:
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:
        # What is raised here comes out of the statement that was run, as it is.
        return self._file.read(offset, amount)

    def xFileSize(self) -> int:
        return self._file.length

    def xClose(self) -> None: ...

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None: ...

    def xSectorSize(self) -> int:
        return 0

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xFileControl(self, _op: int, _pointer: int) -> bool:
        return False


class _System(apsw.VFS):
    """Opens that one file, whatever its name."""

    def __init__(self, shown: _Shown) -> None:
        self.name = f"week-{id(shown)}"
        self._shown = shown
        super().__init__(self.name, base="")

    def xOpen(self, _name: Any, _flags: list[int]) -> Any:
        return self._shown


@contextmanager
def open_stored(store: ArchiveStore, one: Recorded) -> Iterator[StoredWeek]:
    """Open the file of a week where it is stored; raise OldForm where that needs it whole."""
    if not one.manifest.index_bytes:
        raise OldForm(f"{one.stored_as} has no index")
    week = StoredWeek(StoredFile(store, one.stored_as, one.manifest))
    try:
        try:
            missing = lacking(week.execute, LEDGER_MIGRATIONS, migrations_in(LEDGER_MIGRATIONS))
        except WrongSchema as ex:
            raise OldForm(f"{one.stored_as}: {ex}") from ex
        if missing:
            raise OldForm(f"{one.stored_as} lacks the migration {missing[0].name}")
        yield week
    finally:
        week.close()
