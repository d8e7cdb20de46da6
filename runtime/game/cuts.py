"""Where a database begins: what lies before its cut is in the files of archived weeks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """The cut that a database begins after; the fields as in CUT_COLUMNS.

    Bets and entries of commits up to `cut_commit` lie in archives. So may ends of such bets up to `last_commit`.
    """

    cut_commit: int
    last_commit: int
    cut_seq: int
    cut_entry: str
    cut_hash: str
    week: str | None
    """The week that this database is the file of; None: it is the live one."""


CUT_COLUMNS = tuple(Cut.__slots__)
