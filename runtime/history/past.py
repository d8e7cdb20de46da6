"""Pages of a player's bets and entries over the live database and the attached weeks, and one old bet.

Each row counts in one database only, and newer databases hold newer rows. So a page is read from the newest on until it
is full or enough rows were looked at. Where it would go on in a week that is not here, the answer is ARCHIVED.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from runtime.errors import NotFound
from runtime.game.bets import Bet, from_row
from runtime.game.cuts import Cut
from runtime.game.ids import first_id_at, ulid_ms
from runtime.game.ledger import SQL, Entry, RefType, read_cut
from runtime.game.player_entries import FIRST_ID, LAST_ID, Execute, entries_picked_out
from runtime.history.shelves import PAST, Shelf, Shelves
from runtime.records.player_bets import Wanted, bets_newest_first
from runtime.storage.read_pool import ReadPool

T = TypeVar("T")
Part = tuple[list[T], str | None]
"""Rows of one database, and the cursor to go on from where the look at it ended before the limit."""
MINTED_BEFORE_MS = 60_000
"""A bet's id is minted when it comes, a little before its commit."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The newest rows, `limit` at most; where the next page begins is None once there is none.

    It is short, or even empty, where so many rows were looked at and passed over.
    """

    rows: list[T]
    more: bool
    """Whether further rows are here."""
    archived: Cut | None
    """The cut that older rows of the player lie before, in a week that is not here."""
    stopped: str | None = None
    """The cursor to go on from, where the look ended before the page was full."""

    def next_cursor(self, of_row: Callable[[T], str], of_cut: Callable[[Cut], str]) -> str | None:
        """Return where the next page begins: below the last row, or at the cut where older rows are not here."""
        if self.stopped is not None:
            return self.stopped
        if self.rows and (self.more or self.archived):
            return of_row(self.rows[-1])
        return of_cut(self.archived) if self.archived else None


class Past:
    """Read what was committed, whichever database holds it by now."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def bets(self, user_id: str, wanted: Wanted, before: int | None, limit: int) -> Page[Bet]:
        """Return the player's newest bets below a row number; raise NotFound (ARCHIVED) where none of them is here."""

        def read(execute: Execute, shelf_after: Cut, upto: Cut | None, left: int) -> Part[Bet]:
            below = before if upto is None else min(2**62 if before is None else before, upto.cut_seq + 1)
            found = bets_newest_first(execute, user_id, wanted, below, left)
            # What the live database has still to let go of is read from its week already.
            bets = [bet for bet in map(from_row, found.rows) if bet.seq > shelf_after.cut_seq]
            on = found.goes_on_below
            return bets, str(on) if on is not None and on > shelf_after.cut_seq + 1 else None

        def is_below(cut: Cut) -> bool:
            return before is not None and before <= cut.cut_seq + 1

        span = (wanted.from_ms, wanted.to_ms)
        asks_older = bool(before or wanted.to_ms)
        return self._page(
            user_id, read, limit, span, is_below, asks_older=asks_older, only_live=wanted.status == "confirmed"
        )

    def entries(
        self,
        user_id: str,
        span: tuple[int | None, int | None],
        below_id: str,
        limit: int,
        ref_type: RefType | None,
        ref_id: str | None,
    ) -> Page[Entry]:
        """Return the player's newest entries of a span of time below an id; raise as `bets` does."""
        first = FIRST_ID if span[0] is None else first_id_at(span[0])
        below = min(below_id, LAST_ID if span[1] is None else first_id_at(span[1]))

        def read(execute: Execute, after: Cut, upto: Cut | None, left: int) -> Part[Entry]:
            # No id lies between one and the text that is one character longer.
            from_id = max(first, f"{after.cut_entry}0" if after.cut_entry else FIRST_ID)
            below_here = below if upto is None else min(below, f"{upto.cut_entry}0")
            return entries_picked_out(execute, user_id, (from_id, below_here), left, ref_type, ref_id)

        asks_older = below_id != LAST_ID or bool(span[1])
        return self._page(user_id, read, limit, span, lambda cut: below <= f"{cut.cut_entry}0", asks_older=asks_older)

    def _page(
        self,
        user_id: str,
        read: Callable[[Execute, Cut, Cut | None, int], Part[T]],
        limit: int,
        span: tuple[int | None, int | None],
        is_below: Callable[[Cut], bool],
        *,
        asks_older: bool,
        only_live: bool = False,
    ) -> Page[T]:
        """Fill a page from the newest database on; `is_below` says whether all that is asked for lies before a cut.

        Who asks for the newest rows of all, and has older ones only, gets an empty page that says where these begin.
        """

        def read_live(execute: Execute) -> tuple[Cut, Part[T]]:
            cut = read_cut(execute)
            return cut, read(execute, cut, None, limit + 1)

        def none_before(cut: Cut) -> bool:
            return only_live or not cut.cut_commit or (span[0] is not None and first_id_at(span[0]) > cut.cut_entry)

        def all_before(cut: Cut) -> bool:
            return is_below(cut) or (span[1] is not None and first_id_at(span[1]) <= f"{cut.cut_entry}0")

        at, (rows, stopped) = self._shelves.live.together(read_live)
        oldest = self._shelves.live
        for shelf in [] if none_before(at) else self._shelves.weeks():
            upto = shelf.upto
            if len(rows) > limit or stopped or none_before(at) or upto is None or upto.cut_commit > at.cut_commit:
                continue
            if upto.cut_commit < at.cut_commit and not all_before(upto):
                break
            further, stopped = self._read(shelf, read, limit + 1 - len(rows))
            rows += further
            at, oldest = shelf.after, shelf.pool
        if len(rows) > limit:
            return Page(rows[:limit], more=True, archived=None)
        if stopped is not None:
            return Page(rows, more=True, archived=None, stopped=stopped)
        has_older = not none_before(at) and bool(oldest.execute(PAST["has_older"], (user_id,)))
        if has_older and not rows and asks_older:
            found = self._shelves.live.execute(PAST["week_of_cut"], (at.cut_commit,))
            raise _archived(found[0][0] if found else "")
        return Page(rows, more=False, archived=at if has_older else None)

    @staticmethod
    def _read(shelf: Shelf, read: Callable[[Execute, Cut, Cut | None, int], Part[T]], left: int) -> Part[T]:
        return shelf.pool.together(lambda execute: read(execute, shelf.after, shelf.upto, left))

    def holder_of(self, bet_id: str) -> ReadPool | None:
        """Return the database of an attached week that holds a bet, None if none does.

        Raise NotFound (ARCHIVED) where it may lie in a week that is not here.
        """
        minted_ms = ulid_ms(bet_id)
        cut = self._shelves.live.together(read_cut)
        if minted_ms is None or not cut.cut_commit or minted_ms - MINTED_BEFORE_MS > (ulid_ms(cut.cut_entry) or 0):
            return None
        weeks = self._shelves.weeks()
        for shelf in weeks:
            if shelf.pool.execute(SQL["bet"], (bet_id,)):
                return shelf.pool
        covered = any(_covers(shelf, minted_ms) for shelf in weeks)
        rows = self._shelves.live.execute(PAST["week_of_entry"], (first_id_at(minted_ms),))
        if not covered and rows:
            raise _archived(rows[0][0])
        return None


def _covers(shelf: Shelf, minted_ms: int) -> bool:
    """Tell whether a bet of a moment would be in a file: not near its first cut, before which another week holds it."""
    first_ms = ulid_ms(shelf.after.cut_entry) or 0
    last_ms = 0 if shelf.upto is None else ulid_ms(shelf.upto.cut_entry) or 0
    return first_ms < minted_ms <= last_ms - MINTED_BEFORE_MS


def _archived(week: str) -> NotFound:
    """Return the answer to who asks for what lies in the archive of a week."""
    sentence = (
        f"It lies in the archive of the week {week}. The house brings it back: `taptrade archive restore {week}`."
    )
    return NotFound(sentence, code="ARCHIVED", week=week)
