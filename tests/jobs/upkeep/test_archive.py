"""The weekly archive: everything in the file, nothing gone that is not there, and every run takes up a killed one."""

from __future__ import annotations

import os
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs.upkeep import archive
from jobs.upkeep.archive import DiskTooSmall, NotRecorded, others_wait
from jobs.upkeep.archive_store import FolderStore, StoreFailed
from jobs.upkeep.packing import NICE, Paused, quietly
from jobs.upkeep.week_file import WeekFile, WeekUnfit, check_file
from jobs.writer.archives import Trimmer
from runtime.archive.files import attached, kept_file
from runtime.messaging.commands import Outcome
from runtime.storage.database import DatabaseError, open_reader
from tests.jobs.upkeep.shelf import Shelf
from tests.jobs.writer_desk import Desk


@pytest.fixture
def shelf(desk: Desk, tmp_path: Path) -> Shelf:
    return Shelf(desk, tmp_path)


def all_rows(shelf: Shelf, table: str, key: str) -> dict[Any, tuple[Any, ...]]:
    """Return the rows of a table by key, of the live database and of the weeks' files; later states go before."""
    found: dict[Any, tuple[Any, ...]] = {}
    for path in (shelf.settings.database, *attached(shelf.settings.data).values()):
        reader = open_reader(path)
        for row in reader.execute(f"SELECT {key}, * FROM {table}"):
            found.setdefault(row[0], row[1:])
        reader.close()
    return found


def test_a_week_is_put_away_and_both_parts_add_up(shelf: Shelf) -> None:
    week = shelf.play_week()
    assert shelf.archive() == []
    shelf.on_sunday()
    shelf.bets(*shelf.players)
    assert shelf.faults() == []
    bets, entries = all_rows(shelf, "bets", "id"), all_rows(shelf, "transaction_ledger", "id")
    made = shelf.archive()
    assert [one.content.week for one in made] == [week.name]
    assert shelf.faults() == []
    content = made[0].content
    assert content.cut_bets > 0
    assert content.cut_commit < content.last_commit
    assert shelf.desk.database.execute("SELECT min(seq) FROM bets")[0][0] == content.cut_seq + 1
    assert (all_rows(shelf, "bets", "id"), all_rows(shelf, "transaction_ledger", "id")) == (bets, entries)
    told, report = check_file(kept_file(shelf.settings.data, week), content)
    assert (told, report.head) == (content, content.last_hash)


def test_weeks_follow_one_another_and_each_file_proves_itself(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.play_week()
    bets, entries = all_rows(shelf, "bets", "id"), all_rows(shelf, "transaction_ledger", "id")
    shelf.on_sunday()
    made = []
    while found := shelf.archive():
        assert shelf.faults() == []
        made += found
    assert [one.content.week for one in made] == [week.name for week in shelf.weeks]
    for before, after in pairwise(made):
        assert (after.content.first_commit, after.content.previous_hash) == (
            before.content.cut_commit + 1,
            before.content.cut_hash,
        )
    assert (all_rows(shelf, "bets", "id"), all_rows(shelf, "transaction_ledger", "id")) == (bets, entries)
    for week, one in zip(shelf.weeks, made, strict=True):
        check_file(kept_file(shelf.settings.data, week), one.content)


def test_numbers_of_bets_go_on_where_all_of_them_are_archived(shelf: Shelf) -> None:
    shelf.play_week(open_over_its_end=False)
    shelf.on_sunday()
    made = shelf.archive()
    assert shelf.live("bets") == []
    shelf.desk.hire()
    shelf.bets(shelf.players[0])
    assert shelf.desk.database.execute("SELECT min(seq) FROM bets") == [(made[0].content.cut_seq + 1,)]
    assert shelf.faults() == []


def test_nothing_goes_that_no_archive_holds(shelf: Shelf) -> None:
    shelf.play_week()
    for table in ("bet_rows", "entry_rows"):
        with pytest.raises(DatabaseError, match="only where an archive holds them"):
            shelf.desk.database.execute(f"DELETE FROM {table}")
    shelf.on_sunday()
    shelf.archive()
    shelf.bets(shelf.players[0])
    for table in ("bet_rows", "entry_rows"):
        with pytest.raises(DatabaseError, match="only where an archive holds them"):
            shelf.desk.database.execute(f"DELETE FROM {table}")
    with pytest.raises(DatabaseError, match="append-only"):
        shelf.desk.database.execute("UPDATE archives SET cut_commit = last_commit + 10")


STEPS = ("WeekFile.fill", "pack", "check_file", "compress", "put", "unpack", "_keep", "_record", "recorded")


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_goes_on(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
    week = shelf.play_week()
    shelf.on_sunday()
    bets, entries = all_rows(shelf, "bets", "id"), all_rows(shelf, "transaction_ledger", "id")
    owner: Any = {"WeekFile.fill": WeekFile, "put": FolderStore, "recorded": shelf}.get(step, archive)
    owner = archive.Archiver if step.startswith("_") else owner
    name = {"WeekFile.fill": "fill", "recorded": "ask"}.get(step, step)
    real = getattr(owner, name)

    def dies(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dies)
        with pytest.raises(Killed):
            shelf.archive()
    made = shelf.archive()
    assert [one.content.week for one in made] in ([week.name], [])
    shelf.trim()
    assert (all_rows(shelf, "bets", "id"), all_rows(shelf, "transaction_ledger", "id")) == (bets, entries)
    assert shelf.faults() == []
    assert [row[0] for row in shelf.live("archives")] == [week.name]
    assert shelf.archive() == []


def test_every_step_of_trimming_leaves_sums_that_add_up(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.writer.archives.STEP_ROWS_MIN", 1)
    monkeypatch.setattr("jobs.writer.archives.STEP_ROWS_MAX", 1)
    shelf.play_week()
    shelf.play_week()
    shelf.at(shelf.weeks[0].end_ms + 6 * 24 * 3600 * 1000)
    shelf.archiver().run()
    trimmer, steps = Trimmer(shelf.desk.database, shelf.desk.clock), 0
    while trimmer.step():
        steps += 1
        assert shelf.faults() == []
    assert steps > 10


def test_a_cut_that_no_archive_bears_out_stops_trimming_and_not_the_writer(shelf: Shelf) -> None:
    shelf.play_week()
    shelf.desk.database.execute("UPDATE cut SET cut_seq = 2, cut_commit = 3")
    trimmer = Trimmer(shelf.desk.database, shelf.desk.clock)
    assert not trimmer.step()
    assert shelf.desk.database.execute("SELECT min(seq) FROM bets") == [(1,)]
    assert any(fault.startswith("cut") for fault in shelf.faults())


def test_a_disk_without_room_is_left_as_it_is(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.play_week()
    shelf.on_sunday()
    monkeypatch.setattr(archive, "SPARE_BYTES", 1 << 60)
    with pytest.raises(DiskTooSmall, match="MB are free"):
        shelf.archive()
    assert list((shelf.settings.data / "weeks" / "unfinished").iterdir()) == []


def test_files_are_made_with_what_processor_time_is_left() -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert (quietly(nice), nice()) == (NICE, os.getpriority(os.PRIO_PROCESS, 0))
    with pytest.raises(ZeroDivisionError):
        quietly(lambda: 1 // 0)


def test_what_is_not_read_back_whole_is_not_recorded(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.play_week()
    shelf.on_sunday()
    real = FolderStore.read
    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "read", lambda self, name: list(real(self, name))[:-1])
        with pytest.raises(StoreFailed, match="read back otherwise"):
            shelf.archive()
    assert shelf.live("archives") == []
    assert len(shelf.archive()) == 1


def test_a_writer_that_does_not_answer_lets_the_next_run_ask_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.play_week()
    shelf.on_sunday()
    for outcome in (None, Outcome("", {}, "INVALID_REQUEST", "no")):
        with monkeypatch.context() as patch:
            patch.setattr(shelf, "ask", lambda _command, outcome=outcome: outcome)
            with pytest.raises(NotRecorded):
                shelf.archive()
    assert len(shelf.archive()) == 1
    assert shelf.faults() == []


def test_a_changed_row_keeps_a_week_from_its_archive(shelf: Shelf) -> None:
    shelf.play_week()
    shelf.desk.database.execute("UPDATE bet_rows SET nonce = 'another' WHERE seq = 1")
    shelf.on_sunday()
    with pytest.raises(WeekUnfit, match="is not what commit"):
        shelf.archive()
    assert shelf.live("archives") == []


def test_a_name_that_is_taken_stays_as_it_is(shelf: Shelf, tmp_path: Path) -> None:
    week = shelf.play_week()
    shelf.on_sunday()
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / f"{week.file}.zst").write_bytes(b"another's")
    made = shelf.archive()
    ((stored_as,),) = shelf.desk.database.execute("SELECT stored_as FROM archives")
    assert stored_as == f"{week.name}-{made[0].stored_sha256[:16]}.db.zst"
    assert (tmp_path / "archives" / f"{week.file}.zst").read_bytes() == b"another's"


def test_what_was_let_go_of_is_missed_where_its_sums_were_changed(shelf: Shelf) -> None:
    shelf.play_week()
    shelf.on_sunday()
    shelf.archive()
    shelf.desk.database.execute("UPDATE opening_balances SET balance = balance + 1")
    assert any(fault.startswith("opening_balances") for fault in shelf.faults())
    shelf.desk.database.execute("UPDATE opening_balances SET balance = balance - 1")
    shelf.desk.database.execute("UPDATE cut SET cut_commit = cut_commit - 1")
    assert any(fault.startswith("cut") for fault in shelf.faults())


@pytest.mark.parametrize("job_id", ["backup-live", "archive-weeks"])
def test_another_job_that_waits_goes_first(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, job_id: str) -> None:
    monkeypatch.setattr("jobs.upkeep.packing.FRAME_BYTES", 64 * 1024)
    week = shelf.play_week()
    shelf.on_sunday()
    client = shelf.desk.client
    client.rpush("rq:queue:jobs", job_id)
    runs, made = 0, []
    for _ in range(50):
        archiver = archive.Archiver(
            shelf.settings, shelf.store, shelf.ask, shelf.desk.clock, lambda *_: None, lambda: others_wait(client)
        )
        runs += 1
        try:
            made = archiver.run()
        except Paused:
            assert shelf.live("archives") == []
        else:
            break
    assert [one.content.week for one in made] == [week.name]
    assert (runs > 1) == (job_id == "backup-live")
    shelf.trim()
    assert shelf.faults() == []
