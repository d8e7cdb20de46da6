"""One user's bets: those taken are found through their ledger entries, the refused ones by an index of their own.

A bet that was taken has exactly one BET entry, written by the commit that placed it. So a user's entries, in the order
of their links, are the way to those bets in the order of `seq`, and no index of all bets by user is needed. What a
filter picks out of a long history it picks out of a stretch of it, and says where the next one begins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from runtime.game.bets import COLUMNS, Status
from runtime.game.ids import entry_id, first_id_at, first_id_of_commit
from runtime.game.ledger import SQL, Entry
from runtime.game.player_entries import FIRST_ID, LAST_ID, Execute, Rows, back, walk_end
from runtime.game.statements import conditions_given, fill
from runtime.records.queries import QUERIES

Branch = tuple[str, list[Any]]

OPEN_AMONG_NEWEST = 5_000
"""So many of a player's newest bets are looked at for open ones, before the columns that are not settled are."""

REFUSED_LOOKED_AT = 4_000
"""So many of a player's refused bets are looked at for those of a status or on a cell."""

CELL_PARTS = 3
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")

REFUSED_STATUSES = ("refused", "insufficient_funds")

# The columns placed_commit and placed_place of a row.
_PLACED = slice(COLUMNS.index("placed_commit"), COLUMNS.index("placed_place") + 1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bets of a user are asked for; None asks for all. Times are those of placing, [from, to)."""

    status: Status | None = None
    cell_id: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


class Found(NamedTuple):
    """Rows of bets, newest first; and the `seq` below which to go on, where the look ended before the limit."""

    rows: Rows
    goes_on_below: int | None = None


def placed_after(
    execute: Execute, user_id: str, entries: Sequence[Entry], after: tuple[int, int], up_to: int, limit: int
) -> Rows:
    """Return the user's first bets after a (commit, position) and up to a commit, oldest first.

    `entries` are the user's first after that position, up to that commit. A bet whose entry is not among them comes
    after all of these.
    """
    refused = execute(QUERIES["refused_after"], (user_id, after[0], *after, up_to, limit))
    ids = [entry.ref_id for entry in entries if entry.ref_type == "BET"]
    taken = execute(SQL["bets_by_id"], (json.dumps(ids),)) if ids else []
    # A bet comes right before its entry, so that of the first may come before the position.
    bets = [row for row in taken if row[_PLACED] > after]
    return sorted([*refused, *bets])[:limit]


def ended_after(execute: Execute, user_id: str, after: tuple[int, int], up_to: int, limit: int) -> Rows:
    """Return the user's first bets that ended after a (commit, position) and up to a commit, in that order."""
    return execute(QUERIES["ended_after"], (after[0], up_to, user_id, *after, limit))


def bets_newest_first(execute: Execute, user_id: str, wanted: Wanted, before: int | None, limit: int) -> Found:
    """Return the user's newest bets below a `seq`; run it on one state of the database."""
    below_id = LAST_ID
    if before is not None:
        before_it = execute(QUERIES["place_of_bet_below"], (before,))
        if not before_it:
            return Found([])
        placed_ms, commit, position = before_it[0]
        # A bet's entry has the position after its own. If this bet has none, no other bet's entry is at that position.
        below_id = entry_id(placed_ms, commit, position + 2)
    if wanted.status == "confirmed" and wanted.cell_id is None:
        return Found(_open(execute, user_id, wanted, (before, below_id), limit))
    branches: list[Branch] = []
    ends: list[int] = []
    if wanted.status not in REFUSED_STATUSES and wanted.cell_id is not None:
        branches.append(_taken_on_cell(user_id, wanted, before))
    elif wanted.status not in REFUSED_STATUSES:
        from_id, below_id = _span(wanted, below_id)
        end = walk_end(execute, user_id, from_id, below_id)
        if end is not None:
            # Up to a commit's beginning, where entries and rows of bets are parted alike.
            from_id = first_id_of_commit(end)
            ends += execute(QUERIES["first_bet_since"], (end,))[0]
        branches.append(_taken(user_id, wanted, (from_id, below_id)))
    if wanted.status is None or wanted.status in REFUSED_STATUSES:
        branches.append(_refused(user_id, wanted, before))
        ends += _end_of_refused(execute, user_id, wanted, before)
    rows = _read(execute, branches, limit)
    if not ends:
        return Found(rows)
    end_seq = max(ends)
    looked_at = [row for row in rows if row[0] >= end_seq]
    return Found(looked_at, None if len(looked_at) == limit else end_seq)


def _end_of_refused(execute: Execute, user_id: str, wanted: Wanted, before: int | None) -> list[int]:
    """Return where a look at refused bets ends before its limit; nothing where it does not, or chooses none of them."""
    if wanted.status is None and wanted.cell_id is None:
        return []
    conditions, params = conditions_given(*_bounds(wanted, before))
    sql = fill(QUERIES["end_of_refused"], conditions=conditions)
    return [row[0] for row in execute(sql, (user_id, *params, REFUSED_LOOKED_AT))]


def _read(execute: Execute, branches: list[Branch], limit: int) -> Rows:
    texts = [text for text, _ in branches]
    if len(texts) == 1:
        sql = fill(QUERIES["page_of_bets"], bets=texts[0])
    else:
        sql = fill(QUERIES["page_of_both"], bets=texts[0], others=texts[1])
    params = [param for _, values in branches for param in (*values, limit)]
    return execute(sql, [*params, limit])


def _open(execute: Execute, user_id: str, wanted: Wanted, below: tuple[int | None, str], limit: int) -> Rows:
    """Read open bets, which are young: a long history of ended ones is not gone through for them."""
    before, below_id = below
    newest = fill(QUERIES["still_open"], bets=QUERIES["taken_bets_with_status"])
    entries = back(user_id, *_span(wanted, below_id))
    found = _read(execute, [(newest, [*entries, OPEN_AMONG_NEWEST])], limit)
    if len(found) == limit or not execute(QUERIES["has_more_entries"], (user_id, OPEN_AMONG_NEWEST)):
        return found
    conditions, params = conditions_given((QUERIES["if_below_unindexed"], before), *_of_row(wanted))
    from_mark = fill(QUERIES["taken_from_mark"], conditions=conditions)
    return _read(execute, [(from_mark, [user_id, *params])], limit)


def _taken(user_id: str, wanted: Wanted, span: tuple[str, str]) -> Branch:
    conditions, params = conditions_given((QUERIES["if_taken_status"], wanted.status))
    return fill(QUERIES["taken_bets"], conditions=conditions), [*back(user_id, *span), *params]


def _span(wanted: Wanted, below_id: str) -> tuple[str, str]:
    """Return from which id on and below which the entries of the bets lie."""
    from_id = FIRST_ID if wanted.from_ms is None else first_id_at(wanted.from_ms)
    return from_id, below_id if wanted.to_ms is None else min(below_id, first_id_at(wanted.to_ms))


def _taken_on_cell(user_id: str, wanted: Wanted, before: int | None) -> Branch:
    parts = (wanted.cell_id or "").split("_")
    # What is not written as cells' ids are is the id of no cell, and no bet on it was taken.
    is_cell = len(parts) == CELL_PARTS and all(_NUMBER.fullmatch(part) for part in parts)
    cell = [int(part) for part in parts] if is_cell else [-1] * CELL_PARTS
    conditions, params = conditions_given((QUERIES["if_below"], before), *_of_row(wanted))
    return fill(QUERIES["taken_on_cell"], conditions=conditions), [*cell, user_id, *params]


def _refused(user_id: str, wanted: Wanted, before: int | None) -> Branch:
    conditions, params = conditions_given(
        *_bounds(wanted, before), *_of_row(wanted), (QUERIES["if_cell"], wanted.cell_id)
    )
    return fill(QUERIES["refused_bets"], conditions=conditions), [user_id, *params]


def _bounds(wanted: Wanted, before: int | None) -> tuple[tuple[str, Any], ...]:
    return (
        (QUERIES["if_after_entry"], _first_id(wanted.from_ms)),
        (QUERIES["if_before_entry"], _first_id(wanted.to_ms)),
        (QUERIES["if_below"], before),
    )


def _of_row(wanted: Wanted) -> tuple[tuple[str, Any], ...]:
    return (
        (QUERIES["if_placed_from"], wanted.from_ms),
        (QUERIES["if_placed_before"], wanted.to_ms),
        (QUERIES["if_status"], wanted.status),
    )


def _first_id(ms: int | None) -> str | None:
    # Entry ids begin with the time of their commit, which is that of placing.
    return None if ms is None else first_id_at(ms)
