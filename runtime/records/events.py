"""The events of committed rows, by commit number and position: what the stream tells after a crash or a reconnect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.game import columns
from runtime.game.bets import Bet, Status, from_row
from runtime.game.columns import Column
from runtime.game.ledger import SQL, CommitEvent, Entry
from runtime.game.player_entries import Execute, Rows, entries_oldest_first, id_after
from runtime.records.player_bets import ended_after, placed_after
from runtime.records.queries import QUERIES
from runtime.records.views import CommittedEvent, event

# A bet tells two things at most: how it was judged, and how it ended. What it was when placed is its row without the
# end, so the event of its placing is the same before and after settlement.
_PLACED_STATUS: dict[Status, Status] = {"won": "confirmed", "lost": "confirmed", "void": "confirmed"}

Numbered = tuple[int, CommitEvent]
"""An event with the number of its commit."""


def last_commit(execute: Execute) -> int:
    """Return the number of the newest commit, 0 if there is none."""
    rows = execute(SQL["newest_commit"], ())
    return int(rows[0][0])


def events_of_commit(execute: Execute, number: int) -> list[CommittedEvent]:
    """Return all events of one commit in order of position, as the writer published them."""
    rows = execute(QUERIES["events_range"], (number,))
    if not rows:
        return []
    first_seq, last_seq, first_entry, last_entry = rows[0]
    bets = execute(QUERIES["bets_placed_between"], (first_seq, last_seq))
    ended = execute(QUERIES["bets_ended_by"], (number,))
    entries = execute(QUERIES["entries_between"], (first_entry, last_entry))
    begun = execute(QUERIES["columns_begun_by"], (number,))
    found = [*_placed(bets), *_ended(ended), *_entered(Entry(*row) for row in entries), *_begun(begun)]
    found.sort(key=_order)
    return [event(one, number) for _, one in found]


def events_of_user(
    execute: Execute, user_id: str | None, after: tuple[int, int], up_to: int, limit: int
) -> list[tuple[int, CommittedEvent]]:
    """Return (commit, event) for what one user (None: only what is public) may know, after a (commit, position).

    At most `limit` rows of each kind are read and at most `limit` events returned, oldest first; ask again from the
    last one for more.
    """
    begun = execute(QUERIES["columns_begun_after"], (*after, up_to, limit))
    found = _begun(begun)
    if user_id is not None:
        entries = entries_oldest_first(execute, user_id, id_after(execute, *after), limit)
        entries = [entry for entry in entries if entry.commit_number <= up_to]
        found += _placed(placed_after(execute, user_id, entries, after, up_to, limit))
        found += _ended(ended_after(execute, user_id, after, up_to, limit))
        found += _entered(entries)
    found.sort(key=_order)
    return [(number, event(one, number)) for number, one in found[:limit]]


def _order(numbered: Numbered) -> tuple[int, int]:
    number, one = numbered
    return number, one.position


def _placed(rows: Rows) -> list[Numbered]:
    return [(bet.placed_commit, CommitEvent(bet.placed_place, bet.user_id, bet)) for bet in map(_as_placed, rows)]


def _as_placed(row: tuple[Any, ...]) -> Bet:
    bet = from_row(row)
    bet.status = _PLACED_STATUS.get(bet.status, bet.status)
    bet.resolved_at = bet.payout_amount = bet.resolved_commit = bet.resolved_place = None
    return bet


def _ended(rows: Rows) -> list[Numbered]:
    return [
        (bet.resolved_commit or 0, CommitEvent(bet.resolved_place or 0, bet.user_id, bet))
        for bet in map(from_row, rows)
    ]


def _entered(entries: Iterable[Entry]) -> list[Numbered]:
    return [(entry.commit_number, CommitEvent(entry.position, entry.user_id, entry)) for entry in entries]


def _begun(rows: Rows) -> list[Numbered]:
    found: Iterable[Column] = map(columns.from_row, rows)
    return [(column.begun_commit, CommitEvent(column.begun_place, None, column)) for column in found]
