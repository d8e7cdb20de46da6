"""The database that holds one bet: the live one, the file of a week that is here, or an archive where it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from jobs.upkeep.archive_store import open_store
from jobs.upkeep.ranges import StoredFile
from jobs.upkeep.restore import Recorded
from runtime.archive.files import attached
from runtime.archive.manifest import Manifest
from runtime.errors import TaptradeError
from runtime.explanation import Proof, find_bet
from runtime.explanation.chained import row_holds
from runtime.game.ids import first_id_at, ulid_ms
from runtime.game.ledger import SQL
from runtime.game.shards import shard_of
from runtime.history.shelves import PAST
from runtime.settings import Settings
from runtime.storage.database import Database, Row
from taptrade.books import open_books, open_week


class BetUnknown(TaptradeError):
    """There is no such bet."""


class Book(Protocol):
    """What an explanation needs of a database."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return all its rows."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Read several statements from one state of the database."""
        ...


class Archived(msgspec.Struct, frozen=True):
    """The archive that a bet was explained from: whether the live chain bears it out, and what reading it took."""

    week: str
    ok: bool
    finding: str
    stored_as: str
    read_bytes: int
    """Of the store; 0 where the week's file is here."""
    requests: int


@dataclass(frozen=True, slots=True)
class Held:
    """What holds a bet, beside the live database; `file` where an archive is read by ranges."""

    book: Book
    live: Database
    archive: Recorded | None = None
    file: StoredFile | None = None

    def archived(self, proof: Proof) -> Archived | None:
        """Hold the archive against the live chain: its own record there, and the commits of the proof."""
        if self.archive is None:
            return None
        week = self.archive.week.name
        wrong = [
            f"the live ledger's hash of commit {one.commit_number} is another"
            for one in proof.chain.positions
            if self.live.execute(SQL["hash_of_commit"], (one.commit_number,)) != [(one.hash,)]
        ]
        if not row_holds(self.live.execute, "archive", week):
            wrong.append("the record of the archive is not what its commit wrote")
        finding = "; ".join(wrong) or "the live ledger has the same commits, and recorded this archive"
        read = (0, 0) if self.file is None else (self.file.read_bytes, self.file.requests)
        return Archived(week, not wrong, f"Week {week}: {finding}.", self.archive.stored_as, *read)


@contextmanager
def holder_of(settings: Settings, bet_id: str) -> Iterator[Held]:
    """Open what holds a bet; raise BetUnknown if nothing does."""
    with open_books(settings) as whole:
        found = find_bet(whole.execute, bet_id)
    # A chain is read in the ledger that it is of.
    with open_books(settings, 1 if found is None else shard_of(found.seq)) as live:
        if found is not None:
            yield Held(live, live)
            return
        rows = live.execute(PAST["archives_of_entry"], (first_id_at(ulid_ms(bet_id) or 0),))
        for one in [Recorded(Manifest.of(manifest), stored_as) for manifest, stored_as in rows]:
            with _opened(settings, live, one) as held:
                bet = find_bet(held.book.execute, bet_id)
                # Later ones stand in it as they were at its end; they count in the next week.
                if bet is not None and bet.seq <= one.manifest.content.cut_seq:
                    yield held
                    return
    weeks = f", nor in {rows[0][1]}, where it would lie" if rows else ""
    raise BetUnknown(f"there is no bet {bet_id} in the live database{weeks}")


@contextmanager
def _opened(settings: Settings, live: Database, one: Recorded) -> Iterator[Held]:
    if one.week in attached(settings.data):
        with open_week(settings, one.week) as database:
            yield Held(database, live, one)
        return
    from jobs.upkeep.stored_week import OldForm, open_stored  # loads a second SQLite, for this alone

    try:
        with open_stored(open_store(settings), one) as stored:
            yield Held(stored, live, one, stored.file)
    except OldForm as ex:
        raise BetUnknown(
            f"the bet may lie in the week {one.week.name}, which can be read whole only: {ex};"
            f" `taptrade archive restore {one.week.name}`"
        ) from ex
