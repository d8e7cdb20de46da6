"""The write-ahead log: started anew while commits go on, held by readers that are named, cut when they are gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.clock import ManualClock, SystemClock
from runtime.metrics.table import Metrics
from runtime.storage import checkpoints
from runtime.storage.checkpoints import EVERY_S, PAGES_DUE, Checkpointer
from runtime.storage.database import (
    PAGE_BYTES,
    WAL_BYTES_MAX,
    Checkpoint,
    Mode,
    OperationalError,
    SqliteDatabase,
    open_reader,
)
from tests.backgrounds import threads
from tests.runtime.storage.long_reads import gauges, grow, holding, wal_bytes
from tests.waiting import wait_until


@contextmanager
def at_work(checkpointer: Checkpointer) -> Iterator[None]:
    """Run a checkpointer within the block."""
    with threads() as background:
        checkpointer.start(background)
        try:
            yield
        finally:
            checkpointer.stop()


def checkpointer_of(path: Path, writer: SqliteDatabase) -> Checkpointer:
    return Checkpointer(writer, path, Metrics("writer"), ManualClock(0))


def test_however_much_is_committed_the_wal_stays_short(path: Path, writer: SqliteDatabase) -> None:
    longest = 0
    with at_work(Checkpointer(writer, path, Metrics("writer"), SystemClock())):
        for _ in range(200):
            grow(writer, 1)
            longest = max(longest, wal_bytes(path))
            # In memory commits take no time. This is the pace of more bets than any machine carries.
            time.sleep(0.01)
    assert PAGES_DUE * PAGE_BYTES < longest <= WAL_BYTES_MAX


def test_the_shorter_the_wal_the_later_it_is_looked_at_again(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase
) -> None:
    checkpointer = checkpointer_of(path, writer)
    pauses_s = [checkpointer.pause_s()]
    for _ in range(4):
        grow(writer, 5)
        checkpointer.look(copier)
        pauses_s.append(checkpointer.pause_s())
    assert pauses_s[0] == pytest.approx(0.3)
    assert pauses_s == sorted(pauses_s, reverse=True)
    assert pauses_s[-1] < 0.1
    grow(writer, 5)
    checkpointer.look(copier)
    assert checkpointer.pause_s() == EVERY_S
    # It is copied to its end now: the next commit starts it anew.
    checkpointer.look(copier)
    assert checkpointer.pause_s() == pytest.approx(0.3)


def test_a_short_wal_is_left_alone(path: Path, writer: SqliteDatabase, copier: SqliteDatabase) -> None:
    grow(writer, 3)
    assert checkpointer_of(path, writer).look(copier) is False
    assert copier.checkpoint("NOOP").copied == 0


def test_a_wal_that_must_go_is_cut_once_no_reader_needs_it(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase
) -> None:
    grow(writer, 1)
    checkpointer = checkpointer_of(path, writer)
    checkpointer.cut()
    copier.execute("PRAGMA busy_timeout = 1")
    with holding(path):
        assert checkpointer.look(copier) is True
        assert wal_bytes(path) > 0
    assert checkpointer.look(copier) is False
    assert wal_bytes(path) == 0
    grow(writer, 1)
    assert checkpointer.look(copier) is False
    assert wal_bytes(path) > 0


def test_a_long_wal_is_copied_and_the_next_commit_begins_it_anew(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAGES_DUE", 500)
    grow(writer, 3)
    length = wal_bytes(path)
    assert checkpointer_of(path, writer).look(copier) is False
    writer.execute("INSERT INTO bulk VALUES (2, NULL)")
    assert 0 < copier.checkpoint("NOOP").pages < 10
    assert wal_bytes(path) == length


def test_a_query_that_ends_soon_is_waited_for_and_named_by_nobody(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAGES_DUE", 500)
    checkpointer, reader = checkpointer_of(path, writer), open_reader(path)
    with reader.snapshot():
        reader.execute("SELECT count(*) FROM bulk")
        grow(writer, 3)
        assert checkpointer.look(copier) is False
    grow(writer, 1)
    assert checkpointer.look(copier) is False
    writer.execute("INSERT INTO bulk VALUES (2, NULL)")
    assert copier.checkpoint("NOOP").pages < 10
    reader.close()


def test_a_reader_that_stays_is_no_reason_to_keep_commits_waiting_twice(
    path: Path, writer: SqliteDatabase, copier: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "PAGES_DUE", 500)
    checkpointer, reader = checkpointer_of(path, writer), open_reader(path)
    modes: list[str] = []
    honest = SqliteDatabase.checkpoint

    def noted(database: SqliteDatabase, mode: Mode) -> Checkpoint:
        modes.append(mode)
        return honest(database, mode)

    monkeypatch.setattr(SqliteDatabase, "checkpoint", noted)
    with reader.snapshot():
        reader.execute("SELECT count(*) FROM bulk")
        grow(writer, 3)
        assert [checkpointer.look(copier) for _ in range(3)] == [False, True, True]
    assert modes.count("RESTART") == 1
    assert checkpointer.look(copier) is False
    assert modes.count("RESTART") == 2
    assert copier.checkpoint("NOOP") == (False, *[copier.checkpoint("NOOP").pages] * 2)
    assert checkpointer.look(copier) is False
    assert modes.count("RESTART") == 2, "all is copied: the next commit begins anew"
    reader.close()


def test_who_holds_it_is_named_until_it_is_gone_and_the_file_is_cut(
    path: Path, writer: SqliteDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    metrics = Metrics("writer")
    checkpointer = Checkpointer(writer, path, metrics, SystemClock())
    assert set(gauges(metrics, "taptrade_wal_bytes")) == {"some.db"}
    assert gauges(metrics, "taptrade_wal_held_seconds") == {"some.db\x1f": 0}
    with at_work(checkpointer):
        with holding(path) as holder:
            grow(writer, 100)
            assert wal_bytes(path) > WAL_BYTES_MAX
            wait_until(lambda: "some.db is" in caplog.text, what="a word about it")
            (labels,) = gauges(metrics, "taptrade_wal_held_seconds")
            database, _, name = labels.partition("\x1f")
            assert (database, name[: len(f"process {holder.pid} (")]) == ("some.db", f"process {holder.pid} (")
            assert gauges(metrics, "taptrade_wal_bytes")["some.db"] > WAL_BYTES_MAX
        (told,) = [record for record in caplog.records if record.levelname == "WARNING"]
        assert f"MB long, held by process {holder.pid} (" in told.getMessage()
        assert ", started 20" in told.getMessage()
        assert ", seen to read since 20" in told.getMessage()
        assert told.fields["holders"] == [holder.pid]  # type: ignore[attr-defined]
        # Nobody commits any more, and yet:
        wait_until(lambda: wal_bytes(path) <= WAL_BYTES_MAX, what="a file that was cut")
        wait_until(lambda: "long again" in caplog.text, what="a word about it")
    assert gauges(metrics, "taptrade_wal_held_seconds") == {"some.db\x1f": 0}
    assert gauges(metrics, "taptrade_wal_bytes")["some.db"] <= WAL_BYTES_MAX


def test_checkpoints_go_on_after_one_failed_and_say_so_once(
    tmp_path: Path, writer: SqliteDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY_S", 0.001)
    tried: list[str] = []

    class Failing:
        """A connection whose disk fails."""

        def execute(self, sql: str) -> None:
            """Do nothing."""

        def checkpoint(self, mode: str) -> None:
            """Fail."""
            tried.append(mode)
            raise OperationalError("disk I/O error")

        def close(self) -> None:
            """Be closed."""
            tried.append("closed")

    monkeypatch.setattr(checkpoints, "open_writer", lambda *_, **__: Failing())
    with at_work(checkpointer_of(tmp_path / "nothing.db", writer)):
        wait_until(lambda: len(tried) >= 3, what="a third try")
    assert tried[-1] == "closed"
    assert caplog.text.count("disk I/O error") == 1
