"""One user's bets: those taken are found through their ledger entries, the refused ones by an index of their own.

A bet that was taken has exactly one BET entry, written by the commit that placed it. So a user's entries, in the order
of their links, are the way to those bets in the order of `seq`, and no index of all bets by user is needed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from runtime.game.bets import COLUMNS, Status
from runtime.game.ids import entry_id, first_id_at
from runtime.game.ledger import SELECT_BET, SQL, Entry
from runtime.game.player_entries import BACK, FIRST_ID, LAST_ID, Execute, Rows, back

Branch = tuple[str, list[Any]]

OPEN_AMONG_NEWEST = 5_000
"""So many of a player's newest bets are looked at for open ones, before the columns that are not settled are."""

REFUSED_STATUSES = ("refused", "insufficient_funds")

# CROSS JOIN keeps the order: entries first, since they come newest first and end at the limit.
TAKEN = "FROM entry CROSS JOIN bets WHERE entry.ref_type = 'BET' AND bets.id = entry.ref_id"
REFUSED = "FROM bets WHERE user_id = ? AND refusal_code IS NOT NULL"
REFUSED_BETWEEN = f"{SELECT_BET} WHERE user_id = ? AND refusal_code IS NOT NULL AND placed_at >= ? AND placed_at < ?"
TAKEN_ON_CELL = "FROM bets WHERE refusal_code IS NULL AND column_start_s = ? AND cell_id = ? AND user_id = ?"
# By the mark that the writer keeps: before it nothing is open. The bets of others are passed over in the index.
OPEN = f"FROM bets WHERE refusal_code IS NULL AND user_id = ? AND column_start_s >= ({SQL['open_from']})"
# Each bet that was taken has an entry.
MORE_ENTRIES = "SELECT 1 FROM users WHERE id = ? AND version > ?"
PLACE_BEFORE = "SELECT placed_at, placed_commit, placed_place FROM bets WHERE seq < ? ORDER BY seq DESC LIMIT 1"

# The columns placed_commit and placed_place of a row.
_PLACED = slice(COLUMNS.index("placed_commit"), COLUMNS.index("placed_place") + 1)
TAKEN_BY_ID = f"{SELECT_BET} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608  # constants only
# The first commit at or after the given one that has bets says where to begin; if there is none, nothing is read.
REFUSED_AFTER = f"""{SELECT_BET} WHERE user_id = ? AND refusal_code IS NOT NULL AND seq >=
    (SELECT first_bet_seq FROM commits WHERE number >= ? AND first_bet_seq IS NOT NULL ORDER BY number LIMIT 1)
    AND (placed_commit, placed_place) > (?, ?) AND placed_commit <= ? ORDER BY seq LIMIT ?"""  # noqa: S608  # constants only

# One seek a commit: the range of commits alone would lead past the ends of everybody's bets.
ENDED_AFTER = f"""{SELECT_BET} WHERE seq IN (
SELECT bets.seq FROM commits CROSS JOIN bets
WHERE commits.number >= ? AND commits.number <= ? AND bets.resolved_commit = commits.number AND bets.user_id = ?
    AND (bets.resolved_commit, bets.resolved_place) > (?, ?)
ORDER BY commits.number, bets.resolved_place LIMIT ?
) ORDER BY resolved_commit, resolved_place"""  # noqa: S608  # constants only

# What was placed before and after a moment, by the commit of the entry next to it: no index holds times of placing.
# Commits without an entry may lie between, so these bound the reading, and the time itself decides.
_SEQ_FROM = """seq > coalesce((SELECT last_bet_seq FROM commits WHERE last_bet_seq IS NOT NULL AND number <=
    (SELECT commit_number FROM transaction_ledger WHERE id < ? ORDER BY id DESC LIMIT 1)
    ORDER BY number DESC LIMIT 1), 0)"""
_SEQ_TO = """seq < coalesce((SELECT first_bet_seq FROM commits WHERE first_bet_seq IS NOT NULL AND number >=
    (SELECT commit_number FROM transaction_ledger WHERE id >= ? ORDER BY id LIMIT 1)
    ORDER BY number LIMIT 1), 9223372036854775807)"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bets of a user are asked for; None asks for all. Times are those of placing, [from, to)."""

    status: Status | None = None
    cell_id: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


def placed_after(
    execute: Execute, user_id: str, entries: Sequence[Entry], after: tuple[int, int], up_to: int, limit: int
) -> Rows:
    """Return the user's first bets after a (commit, place) and up to a commit, oldest first.

    `entries` are the user's first after that place, up to that commit. A bet whose entry is not among them comes after
    all of these.
    """
    refused = execute(REFUSED_AFTER, (user_id, after[0], *after, up_to, limit))
    ids = [entry.ref_id for entry in entries if entry.ref_type == "BET"]
    taken = execute(TAKEN_BY_ID, (json.dumps(ids),)) if ids else []
    # A bet comes right before its entry, so that of the first may come before the place.
    bets = [row for row in taken if row[_PLACED] > after]
    return sorted([*refused, *bets])[:limit]


def ended_after(execute: Execute, user_id: str, after: tuple[int, int], up_to: int, limit: int) -> Rows:
    """Return the user's first bets that ended after a (commit, place) and up to a commit, in that order."""
    return execute(ENDED_AFTER, (after[0], up_to, user_id, *after, limit))


def bets_newest_first(execute: Execute, user_id: str, wanted: Wanted, before: int | None, limit: int) -> Rows:
    """Return the user's newest bets below a `seq`; run it on one state of the database."""
    below_id = LAST_ID
    if before is not None:
        places = execute(PLACE_BEFORE, (before,))
        if not places:
            return []
        placed_ms, commit, place = places[0]
        # A bet's entry has the place after its own. If this bet has none, no other bet's entry is at that place.
        below_id = entry_id(placed_ms, commit, place + 2)
    if wanted.status == "confirmed" and wanted.cell_id is None:
        return _open(execute, user_id, wanted, (before, below_id), limit)
    branches: list[Branch] = []
    if wanted.status not in REFUSED_STATUSES:
        on_cell = wanted.cell_id is not None
        branches.append(_taken_on_cell(user_id, wanted, before) if on_cell else _taken(user_id, wanted, below_id))
    if wanted.status is None or wanted.status in REFUSED_STATUSES:
        branches.append(_refused(user_id, wanted, before))
    return _read(execute, branches, limit)


def _read(execute: Execute, branches: list[Branch], limit: int) -> Rows:
    found = " UNION ALL ".join(f"SELECT seq FROM ({text} LIMIT ?)" for text, _ in branches)  # noqa: S608
    params = [param for _, given in branches for param in (*given, limit)]
    return execute(f"{SELECT_BET} WHERE seq IN ({found}) ORDER BY seq DESC LIMIT ?", [*params, limit])


def _open(execute: Execute, user_id: str, wanted: Wanted, below: tuple[int | None, str], limit: int) -> Rows:
    """Read open bets, which are young: a long history of ended ones is not gone through for them."""
    before, below_id = below
    text, params = _taken(user_id, replace(wanted, status=None), below_id, "bets.seq, bets.status")
    newest = f"SELECT seq FROM ({text} LIMIT ?) WHERE status = 'confirmed'"  # noqa: S608
    found = _read(execute, [(newest, [*params, OPEN_AMONG_NEWEST])], limit)
    if len(found) == limit or not execute(MORE_ENTRIES, (user_id, OPEN_AMONG_NEWEST)):
        return found
    # What is computed from `seq` is no reason to walk the table instead of the index.
    conditions, params = _given(("seq + 0 < ?", before), *_of_row(wanted, None))
    return _read(execute, [(f"SELECT seq {OPEN}{conditions} ORDER BY seq + 0 DESC", [user_id, *params])], limit)


def _taken(user_id: str, wanted: Wanted, below_id: str, columns: str = "bets.seq") -> Branch:
    from_id = FIRST_ID if wanted.from_ms is None else first_id_at(wanted.from_ms)
    if wanted.to_ms is not None:
        below_id = min(below_id, first_id_at(wanted.to_ms))
    conditions, params = _given(("bets.status = ?", wanted.status))
    return f"{BACK} SELECT {columns} {TAKEN}{conditions}", [*back(user_id, from_id, below_id), *params]


def _taken_on_cell(user_id: str, wanted: Wanted, before: int | None) -> Branch:
    cell_id = wanted.cell_id or ""
    # A cell's id leads with its column; what does not is the id of no cell, and no bet on it was taken.
    head = cell_id.partition("_")[0]
    start_s = int(head) if head.isascii() and head.isdigit() and len(head) <= 18 else -1
    conditions, params = _given(*_of_row(wanted, before))
    return f"SELECT seq {TAKEN_ON_CELL}{conditions} ORDER BY seq DESC", [start_s, cell_id, user_id, *params]


def _refused(user_id: str, wanted: Wanted, before: int | None) -> Branch:
    conditions, params = _given(
        (_SEQ_FROM, _first_id(wanted.from_ms)),
        (_SEQ_TO, _first_id(wanted.to_ms)),
        *_of_row(wanted, before),
        ("cell_id = ?", wanted.cell_id),
    )
    return f"SELECT seq {REFUSED}{conditions} ORDER BY seq DESC", [user_id, *params]


def _of_row(wanted: Wanted, before: int | None) -> tuple[tuple[str, Any], ...]:
    return (
        ("seq < ?", before),
        ("placed_at >= ?", wanted.from_ms),
        ("placed_at < ?", wanted.to_ms),
        ("status = ?", wanted.status),
    )


def _first_id(ms: int | None) -> str | None:
    # Entry ids begin with the time of their commit, which is that of placing.
    return None if ms is None else first_id_at(ms)


def _given(*conditions: tuple[str, Any]) -> Branch:
    """Return the conditions that have a value, each led by AND, and the values."""
    given = [(text, value) for text, value in conditions if value is not None]
    return "".join(f" AND {text}" for text, _ in given), [value for _, value in given]
