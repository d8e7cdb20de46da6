"""Who holds a write-ahead log: found by the locks on its index, among those who read it and hold nothing."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.clock import ManualClock, SystemClock
from runtime.metrics.table import Metrics
from runtime.process_lock import name_of, started_ms
from runtime.storage import wal_index, wal_watch
from runtime.storage.database import SqliteDatabase, open_reader
from runtime.storage.wal_index import WalIndex
from runtime.storage.wal_watch import UNSEEN
from tests.runtime.storage.long_reads import gauges, grow, holding


def test_of_two_readers_the_old_one_is_the_holder(path: Path, writer: SqliteDatabase, copier: SqliteDatabase) -> None:
    reader = open_reader(path)
    with holding(path) as holder:
        grow(writer, 2)
        with reader.snapshot():
            reader.execute("SELECT count(*) FROM bulk")
            grow(writer, 2)
            copier.checkpoint("PASSIVE")
            assert WalIndex(path).holders() == [holder.pid]
    with reader.snapshot():
        reader.execute("SELECT count(*) FROM bulk")
        grow(writer, 2)
        copier.checkpoint("PASSIVE")
        assert WalIndex(path).holders() == [os.getpid()]
    reader.close()


def test_a_reader_that_came_when_all_was_copied_holds_it_too(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase
) -> None:
    grow(writer, 2)
    copier.checkpoint("RESTART")
    with holding(path) as holder:
        grow(writer, 2)
        assert copier.checkpoint("PASSIVE").copied == 0
        assert WalIndex(path).holders() == [holder.pid]
    copier.checkpoint("PASSIVE")
    assert WalIndex(path).holders() == []


def test_a_process_is_named_in_one_line_with_its_start() -> None:
    command = [sys.executable, "-c", "\nprint('started', flush=True)\ninput()"]
    before_ms = SystemClock().now_ms()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        assert (
            name_of(process.pid) == f"process {process.pid} ({sys.executable} -c print('started', flush=True) input())"
        )
        began_ms = started_ms(process.pid)
        assert began_ms is not None
        assert abs(began_ms - before_ms) < 2_000
        process.communicate(b"\n")
    assert started_ms(2**22 + 1) is None


@pytest.mark.parametrize("answer", [0, -1])
def test_a_holder_without_an_id_here_is_told_of_all_the_same(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    watch = wal_watch.WalWatch(path, metrics := Metrics("writer"), ManualClock(0))
    # What the kernel says of a lock of another PID namespace: that it is there.
    packed = wal_index.FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 123, 1, answer)
    monkeypatch.setattr(fcntl, "fcntl", lambda *_: packed)
    grow(writer, 1)
    copier.checkpoint("PASSIVE")
    watch.look(held=True)
    assert gauges(metrics, "taptrade_wal_held_seconds") == {f"some.db\x1f{UNSEEN}": 0}


def test_without_the_list_of_locks_the_kernel_is_asked_for_each(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wal_index, "LOCKS", tmp_path / "absent")
    with holding(path) as holder:
        grow(writer, 2)
        copier.checkpoint("PASSIVE")
        assert WalIndex(path).holders() == [holder.pid]


def test_a_long_wal_that_nobody_holds_is_told_once_a_minute(
    path: Path, writer: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wal_watch, "WAL_BYTES_MAX", 1)
    watch = wal_watch.WalWatch(path, Metrics("writer"), clock := ManualClock(0))
    grow(writer, 1)
    for told in (0, 0, 1, 1):
        watch.look(held=False)
        assert caplog.text.count("no reader holds it") == told
        clock.advance(wal_watch.UNHELD_MS // 2)
    clock.advance(wal_watch.SAID_EVERY_MS)
    watch.look(held=False)
    assert caplog.text.count("no reader holds it") == 2
