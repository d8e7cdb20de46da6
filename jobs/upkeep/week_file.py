"""The file of a week: filled beside the live database in short reads, set back to how all stood then, and counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec

from runtime.archive.manifest import BucketSum, Content
from runtime.archive.weeks import DAY_MS, Week
from runtime.audit import Report, audit
from runtime.audit.bucket_count import BucketCount
from runtime.clock import Clock
from runtime.errors import TaptradeError
from runtime.game.bets import STATUSES
from runtime.game.buckets import bucket_of
from runtime.game.cuts import Cut
from runtime.game.ids import first_id_at
from runtime.game.ledger import read_cut
from runtime.game.statements import read_statements
from runtime.storage.database import LEDGER_MIGRATIONS, Database, open_filler, open_reader
from runtime.storage.migrate import migrate

FILE = read_statements("jobs.upkeep", "week_file.sql")
RANGE_ROWS = 5_000
"""Rows that one read of the live database copies: some hundredths of a second each."""
RANGE_COMMITS = 1_000
"""A commit's row has a mark of each row that it wrote."""

Progress = Callable[[str, int, int], None]


class WeekUnfit(TaptradeError):
    """A week's file does not hold what it should; nothing was stored or let go of."""


class WeekFile:
    """Fill the file of one week; whatever a killed run left of it goes first."""

    def __init__(self, live: Path, path: Path, week: Week, clock: Clock, progress: Progress) -> None:
        self._live = live
        self._path = path
        self._week = week
        self._progress = progress
        for leftover in (path, path.with_name(f"{path.name}-journal"), path.with_name(f"{path.name}-wal")):
            leftover.unlink(missing_ok=True)
        migrate(path, LEDGER_MIGRATIONS, clock)
        self._file: Database = open_filler(path, f"file:{quote(str(live))}?mode=ro")

    def fill(self, cut: Cut, last: tuple[int, str, int, str]) -> Content:
        """Copy what the commits after the cut and up to the last one wrote; return what that is."""
        commit, last_hash, seq, entry = last
        try:
            self._copy_ranges(cut, commit, max(seq, cut.cut_seq), max(entry, cut.cut_entry))
            self._copy_rest(cut, commit)
            self._set_back(commit)
            self._write(FILE["begin_after"], *_fields_of(cut), self._week.name)
            content = self._count(cut, commit, last_hash)
            self._write(FILE["make_manifest"])
            self._write(FILE["insert_manifest"], msgspec.json.encode(content).decode())
        finally:
            self._file.close()
        return content

    def _write(self, sql: str, *params: object) -> list[tuple[object, ...]]:
        return self._file.execute(sql, params)

    def _copy_ranges(self, cut: Cut, commit: int, seq: int, entry: str) -> None:
        self._write(FILE["make_closing"])
        first = cut.cut_commit
        for after in range(first, commit, RANGE_COMMITS):
            self._write(FILE["copy_commits"], after, min(after + RANGE_COMMITS, commit))
        for after in range(cut.cut_seq, seq, RANGE_ROWS):
            upto = min(after + RANGE_ROWS, seq)
            self._write(FILE["copy_bets"], after, upto)
            for sql in (
                FILE["pricings_of_bets"],
                FILE["players_of_bets"],
                FILE["delegations_of_bets"],
                FILE["gestures"],
            ):
                self._write(sql, after, upto)
            self._progress("bets", upto - cut.cut_seq, seq - cut.cut_seq)
        after_id, copied = cut.cut_entry, 0
        while after_id < entry:
            found = self._write(FILE["entry_at"], after_id, entry, RANGE_ROWS)
            upto_id = str(found[0][0]) if found else entry
            self._write(FILE["copy_entries"], after_id, upto_id)
            self._write(FILE["players_of_entries"], after_id, upto_id)
            self._write(FILE["close_entries"], after_id, upto_id)
            after_id, copied = upto_id, copied + RANGE_ROWS
            self._progress("entries", copied, 0)

    def _copy_rest(self, cut: Cut, commit: int) -> None:
        after = cut.cut_commit
        began = self._file.execute(FILE["commit_after"], (after,))
        # Ids are minted before their commit, when a request came: never a day before.
        from_id = first_id_at(max(0, began[0][0] - DAY_MS)) if began else ""
        for sql in (FILE["copy_users"], FILE["copy_delegations"], FILE["copy_limits"]):
            self._write(sql, from_id, after, commit)
        for sql in (FILE["copy_operations"], FILE["copy_overrides"], FILE["copy_archives"], FILE["copy_erasures"]):
            self._write(sql, after, commit)
        self._write(FILE["copy_columns"], after, commit, after, after)
        self._write(FILE["copy_withdrawals"], commit, after, after)
        self._write(FILE["players_of_rest"], after, commit)
        self._write(FILE["copy_adoptions"], commit)
        self._write(FILE["copy_bucket_changes"], commit)
        after_id = ""
        while True:
            found = self._write(FILE["player_at"], after_id, RANGE_ROWS)
            upto_id = str(found[0][0]) if found else "~"
            self._write(FILE["copy_opening_balances"], after_id, upto_id)
            if not found:
                return
            after_id = upto_id

    def _set_back(self, commit: int) -> None:
        for sql in (FILE["undo_ends"], FILE["undo_settled"], FILE["undo_withdrawals"]):
            self._write(sql, commit)
        for sql in (FILE["close_openings"], FILE["balances_then"], FILE["empty_then"], FILE["drop_closing"]):
            self._write(sql)

    def _count(self, cut: Cut, last_commit: int, last_hash: str) -> Content:
        ((before_open,),) = self._file.execute(FILE["before_open"])
        cut_commit = last_commit if before_open is None else max(before_open, cut.cut_commit)
        ((cut_hash, cut_seq, cut_entry),) = self._file.execute(FILE["cut_rows"], (cut_commit,) * 3)
        cut_seq, cut_entry = cut_seq or cut.cut_seq, cut_entry or cut.cut_entry
        ((*statuses, staked, paid),) = self._file.execute(FILE["counted_bets"])
        kinds = self._file.execute(FILE["counted_entries"])
        ((cut_bets, cut_entries, cut_cents),) = self._file.execute(FILE["counted_cut"], (cut_seq, cut_entry, cut_entry))
        return Content(
            week=self._week.name,
            first_commit=cut.cut_commit + 1,
            cut_commit=cut_commit,
            last_commit=last_commit,
            cut_seq=cut_seq,
            cut_entry=cut_entry,
            previous_hash=cut.cut_hash,
            cut_hash=cut_hash or cut.cut_hash,
            last_hash=last_hash,
            commits=self._file.execute(FILE["counted_commits"])[0][0],
            bets=sum(statuses),
            bets_by_status=dict(zip(STATUSES, statuses, strict=True)),
            staked_cents=staked,
            paid_cents=paid,
            entries=sum(row[1] for row in kinds),
            cents_by_kind={row[0]: row[2] for row in kinds},
            cut_bets=cut_bets,
            cut_entries=cut_entries,
            cut_cents=cut_cents,
            buckets=self._buckets(cut_seq),
        )

    def _buckets(self, cut_seq: int) -> list[BucketSum]:
        live = open_reader(self._live)
        try:
            counted = BucketCount(live)
        finally:
            live.close()
        for model_id, version, rate_bp, now_ms, start_s, end_s, stake, paid in self._file.iterate(
            FILE["ended_up_to"], (cut_seq,)
        ):
            bucket = bucket_of(model_id, version, rate_bp, start_s, now_ms or 0, end_s - start_s)
            counted.add(bucket, start_s, stake, paid or 0)
        return counted.sums()


def _fields_of(cut: Cut) -> tuple[int, int, int, str, str]:
    return (cut.cut_commit, cut.last_commit, cut.cut_seq, cut.cut_entry, cut.cut_hash)


def pack(filled: Path, packed: Path) -> None:
    """Write a filled file anew without gaps, under another name."""
    packed.unlink(missing_ok=True)
    database = open_filler(filled, None)
    try:
        database.execute("VACUUM INTO ?", (str(packed),))
    finally:
        database.close()


def check_file(path: Path, content: Content | None = None) -> tuple[Content, Report]:
    """Audit a week's file by itself, hashes of its commits included; raise WeekUnfit for whatever is wrong with it.

    `content` is what it must hold; None: what it says itself.
    """
    reader = open_reader(path)
    try:
        told = msgspec.json.decode(reader.execute(FILE["manifest"])[0][0], type=Content)
        report = audit(reader)
        cut = read_cut(reader.execute)
    finally:
        reader.close()
    if not report.ok:
        raise WeekUnfit(f"{path.name}: {report.findings[0]} ({len(report.findings)} findings)")
    counted = (report.head, report.bets, report.entries, cut.cut_hash, cut.week)
    if counted != (told.last_hash, told.bets, told.entries, told.previous_hash, told.week):
        raise WeekUnfit(f"{path.name}: its rows are not those that its manifest counts")
    if content is not None and told != content:
        raise WeekUnfit(f"{path.name}: it is not the file that was recorded")
    return told, report
