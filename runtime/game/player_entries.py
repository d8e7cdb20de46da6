"""One player's ledger entries, read along their links: no index holds all entries by player.

Each entry names the player's one before it, `users` names the last, and every 64th is a milestone in an index. So a
newest part is read from the end, a part in the middle from the milestone after it, and nothing is gone through twice.
What picks out some of a history looks at so many entries at most and says where to go on, however few it has found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from runtime.game.ids import POSITION_MAX, entry_id
from runtime.game.ledger import SQL, Entry, RefType
from runtime.game.rows import kind_code
from runtime.game.statements import conditions_given, fill

Rows = list[tuple[Any, ...]]
Execute = Callable[[str, Sequence[Any]], Rows]

MILESTONE = 64
"""Entries from one milestone to the next; the statements and the index say it too."""
WALK_MILESTONES = 64
"""How many milestones a walk that picks out some entries goes back: some four thousand entries, a few milliseconds."""
FIRST_ID, LAST_ID = "", "7" + "Z" * 25
"""Text below and above every id."""

EVERY = 2**62
"""A limit that is none."""


def back(user_id: str, from_id: str = FIRST_ID, below_id: str = LAST_ID) -> tuple[str, ...]:
    """Return the parameters of `entries_back`."""
    return (user_id, below_id, user_id, from_id, from_id, below_id)


def entries_newest_first(
    execute: Execute,
    user_id: str,
    from_id: str = FIRST_ID,
    below_id: str = LAST_ID,
    *,
    limit: int = EVERY,
    ref_type: RefType | None = None,
    ref_id: str | None = None,
) -> list[Entry]:
    """Return the player's newest entries in [from_id, below_id), of one kind or reference if asked for."""
    conditions, params = conditions_given(
        (SQL["if_entry_type"], kind_code(ref_type)), (SQL["if_entry_reference"], ref_id)
    )
    sql = fill(SQL["entries_newest_first"], conditions=conditions)
    rows = execute(sql, (*back(user_id, from_id, below_id), *params, limit))
    return [Entry(*row) for row in rows]


def entries_picked_out(
    execute: Execute, user_id: str, span: tuple[str, str], limit: int, ref_type: RefType | None, ref_id: str | None
) -> tuple[list[Entry], str | None]:
    """Return the newest entries of a kind or reference in [from_id, below_id), of so many that are looked at.

    The second is the id that the walk goes on below, None where the limit or the end of the span was reached.
    """
    from_id, below_id = span
    # Without a filter every entry is one of the page.
    end = None if ref_type is None and ref_id is None else walk_end(execute, user_id, from_id, below_id)
    entries = entries_newest_first(
        execute, user_id, end or from_id, below_id, limit=limit, ref_type=ref_type, ref_id=ref_id
    )
    return entries, None if len(entries) == limit else end


def walk_end(execute: Execute, user_id: str, from_id: str, below_id: str) -> str | None:
    """Return the id at which a walk from `below_id` back to `from_id` has to stop; None if it comes to its end."""
    rows = execute(SQL["walk_end"], (user_id, below_id, WALK_MILESTONES))
    return rows[0][0] if rows and rows[0][0] > from_id else None


def entries_oldest_first(execute: Execute, user_id: str, from_id: str, limit: int) -> list[Entry]:
    """Return the player's first entries from an id on."""
    # The first milestone may be the first entry asked for; each further one has a full block behind it.
    milestones = limit // MILESTONE + 2
    rows = execute(SQL["entries_oldest_first"], (user_id, from_id, milestones, user_id, from_id, from_id, limit))
    return [Entry(*row) for row in rows]


def id_after(execute: Execute, commit: int, position: int) -> str:
    """Return the least id that an entry after a position can have, whether or not there is that commit."""
    rows = execute(SQL["commit_time"], (commit,))
    return entry_id(rows[0][0], commit, min(position, POSITION_MAX - 1) + 1) if rows else FIRST_ID


def totals_since(execute: Execute, user_id: str, from_id: str) -> tuple[int, int]:
    """Return what the player has staked since an id, and what came back of it, in cents."""
    staked, returned, _ = totals_and_last(execute, user_id, from_id)
    return staked, returned


def totals_and_last(execute: Execute, user_id: str, from_id: str) -> tuple[int, int, str | None]:
    """Return the same, and the id of the newest entry that is in it, None if there is none."""
    ((staked, returned, last_id),) = execute(SQL["totals_since"], back(user_id, from_id))
    return staked, returned, last_id
