"""Archived weeks: recorded once in the hash chain, then let go of in steps so small that no bet waits for one."""

from __future__ import annotations

import logging

from runtime.clock import Clock
from runtime.game.cuts import Cut
from runtime.game.ledger import SQL, Commit
from runtime.messaging.commands import Outcome, RecordArchive
from runtime.storage.database import Database, DatabaseError, OperationalError

logger = logging.getLogger(__name__)

STEP_MS = 6
"""What a step should take; bets that come meanwhile wait for it."""
STEP_ROWS_MIN, STEP_ROWS_MAX = 20, 2_000


def record_archive(commit: Commit, command: RecordArchive) -> Outcome:
    """Record a week's archive, and where the live database begins from now on; a week is recorded once."""
    stored = commit.write("archived", command.week)
    if stored:
        same = stored[0][0] == command.manifest
        sentence = "" if same else f"The week {command.week} was archived otherwise."
        return Outcome(command.id, {"week": command.week, "repeat": True}, None if same else "REFERENCE_USED", sentence)
    cut = Cut(*commit.write("cut")[0])
    wrong = _wrong(commit, cut, command)
    if wrong:
        return Outcome(command.id, {"week": command.week}, "INVALID_REQUEST", wrong)
    content = (
        command.week,
        command.first_commit,
        command.cut_commit,
        command.last_commit,
        command.cut_seq,
        command.cut_entry,
        command.cut_hash,
        command.stored_as,
        command.manifest,
        commit.now_ms,
        commit.number,
    )
    commit.write("insert_archive", *content, commit.record("archive", *content))
    moved = (command.cut_commit, command.last_commit, command.cut_seq, command.cut_entry, command.cut_hash)
    commit.write("move_cut", *moved)
    return Outcome(command.id, {"week": command.week})


def _wrong(commit: Commit, cut: Cut, command: RecordArchive) -> str:
    """Return why an archive does not follow the one before it, empty if it does."""
    if command.first_commit != cut.cut_commit + 1 or command.last_commit < cut.last_commit:
        return f"The archive begins with commit {command.first_commit}, but {cut.cut_commit} was archived last."
    if not command.first_commit - 1 <= command.cut_commit <= command.last_commit:
        return f"The archive is cut after commit {command.cut_commit}, which is not in it."
    if command.cut_seq < cut.cut_seq or command.cut_entry < cut.cut_entry:
        return "The archive ends before the one before it."
    for number, expected in ((command.last_commit, command.last_hash), (command.cut_commit, command.cut_hash)):
        if number and commit.write("hash_of_commit", number) != [(expected,)]:
            return f"The archive's hash of commit {number} is not the ledger's."
    if commit.write("oldest_open_bet", command.cut_seq):
        return "A bet that the archive would take away is open."
    ((bet, entry),) = commit.write(
        "rows_at_cut", command.cut_seq, command.cut_commit, command.cut_entry, command.cut_commit
    )
    if not (bet or command.cut_seq == cut.cut_seq) or not (entry or command.cut_entry == cut.cut_entry):
        return "The archive's last bet or entry is not that of a commit up to its cut."
    if commit.write("has_archived_rows") != [(0, 0)]:
        return "Rows of the archive before it are still there."
    return ""


class Trimmer:
    """Let go of rows that archives hold, a step at a time; the rows that are left say where to go on."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rows = STEP_ROWS_MIN
        self._refused = False

    def step(self) -> bool:
        """Delete the next few rows in a transaction of its own; return whether there were any.

        Bets go before their entries, by which they are found.
        """
        ((bets, entries),) = self._database.execute(SQL["has_archived_rows"])
        if self._refused or (not bets and not entries):
            return False
        began_ms = self._clock.monotonic_ms()
        try:
            with self._database.transaction():
                self._database.execute(SQL["trim_bets"] if bets else SQL["trim_entries"], (self._rows,))
        except OperationalError:
            raise
        except DatabaseError as ex:
            # A cut that no archive bears out is for the audit to name; bets go on.
            logger.error("rows before the cut are not let go of: %s", ex)  # noqa: TRY400  the sentence says it all
            self._refused = True
            return False
        took_ms = max(1, self._clock.monotonic_ms() - began_ms)
        self._rows = min(max(STEP_ROWS_MIN, min(self._rows * STEP_MS // took_ms, self._rows * 2)), STEP_ROWS_MAX)
        return True
