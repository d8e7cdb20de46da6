"""Backups: whole while the writer writes, checked, counted, restorable."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from jobs.upkeep.backup import check, keep_functions, make_backup
from runtime.clock import ManualClock
from runtime.storage.backups import Backup
from runtime.storage.database import Database, DatabaseError, DatabaseUnsafe, open_reader, open_writer


@pytest.fixture
def live(tmp_path: Path) -> Path:
    path = tmp_path / "taptrade.db"
    writer = open_writer(path)
    writer.execute("CREATE TABLE commits (number INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT")
    writer.close()
    return path


def commit(writer: Database, number: int) -> None:
    with writer.transaction():
        writer.execute("INSERT INTO commits VALUES (?, ?)", (number, f"{number:064x}"))


def test_copy_holds_all_that_was_committed_and_says_so(live: Path, tmp_path: Path, clock: ManualClock) -> None:
    writer = open_writer(live)
    commit(writer, 1)
    commit(writer, 2)
    with writer.transaction():
        made = make_backup(live, tmp_path / "backups", clock)
    writer.close()
    copy = tmp_path / "backups" / made.file
    assert (made.commit, made.commit_hash) == (2, f"{2:064x}")
    assert made.sha256 == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert copy.with_name(copy.name + ".sha256").read_text() == f"{made.sha256}  {copy.name}\n"
    assert msgspec.json.decode(copy.with_name(copy.name + ".json").read_bytes(), type=Backup) == made
    restored = open_reader(copy)
    assert restored.execute("SELECT number FROM commits ORDER BY number") == [(1,), (2,)]
    restored.close()
    assert {path.name for path in copy.parent.iterdir()} == {copy.name, f"{copy.name}.sha256", f"{copy.name}.json"}


def test_what_functions_remember_is_kept_as_it_was_last(live: Path, tmp_path: Path) -> None:
    folder, writer = tmp_path / "backups", open_writer(live)
    folder.mkdir()
    for number in (1, 2):
        commit(writer, number)
        keep_functions(live, folder)
    writer.close()
    [copy] = folder.iterdir()
    kept = open_reader(copy)
    assert kept.execute("SELECT max(number) FROM commits") == [(2,)]
    kept.close()


def test_only_the_newest_are_kept(live: Path, tmp_path: Path, clock: ManualClock) -> None:
    made = []
    for _ in range(4):
        made.append(make_backup(live, tmp_path / "backups", clock, keep=2).file)
        clock.advance(3_600_000)
    left = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert left == sorted(name + end for name in made[2:] for end in ("", ".json", ".sha256"))


def test_leftover_of_a_killed_run_is_no_obstacle(live: Path, tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "unfinished.db").write_bytes(b"half")
    assert make_backup(live, folder, clock).commit == 0


def test_damaged_copy_is_found(live: Path, tmp_path: Path, clock: ManualClock) -> None:
    made = make_backup(live, tmp_path / "backups", clock)
    copy = tmp_path / "backups" / made.file
    content = bytearray(copy.read_bytes())
    content[4096:8192] = bytes(4096)
    copy.write_bytes(content)
    with pytest.raises((DatabaseError, DatabaseUnsafe)):
        check(copy)
