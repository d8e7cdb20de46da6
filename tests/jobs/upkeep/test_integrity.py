"""The head of the hash chain is kept outside the database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from jobs.upkeep.integrity import LedgerDoesNotAddUp, run_audit
from runtime.audit import audit
from runtime.audit.heads import HEADS_FILE, Head, HeadsUnreadable, keep_head, read_heads
from runtime.clock import ManualClock
from runtime.health.status import read_status
from runtime.settings import Settings
from runtime.storage.database import open_writer
from tests.by_hand import loosen
from tests.jobs.writer_desk import Desk


def test_head_is_appended_each_time(tmp_path: Path, clock: ManualClock) -> None:
    live, file = tmp_path / "taptrade.db", tmp_path / "heads.jsonl"
    database = open_writer(live)
    database.execute("CREATE TABLE commits (number INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT")
    assert keep_head(database, file, clock) is None
    for number in (1, 2):
        database.execute("INSERT INTO commits VALUES (?, ?)", (number, f"{number:064x}"))
        keep_head(database, file, clock)
        clock.advance(1000)
    database.close()
    start_ms = clock.now_ms() - 2000
    assert [msgspec.json.decode(line, type=Head) for line in file.read_bytes().splitlines()] == [
        Head(start_ms, 1, f"{1:064x}"),
        Head(start_ms + 1000, 2, f"{2:064x}"),
    ]


def test_the_result_is_left_for_metrics_and_the_head_for_the_next_audit(desk: Desk, settings: Settings) -> None:
    user = desk.player()
    desk.place(desk.bet(user))
    settings = replace(settings, data=desk.path.parent)
    assert "every cent" in str(run_audit(settings, desk.client, desk.clock)["summary"])
    system = read_status(desk.client, desk.clock.now_ms())
    assert system is not None
    assert system.audit is not None
    assert (system.audit.findings, system.audit.at_ms) == (0, desk.clock.now_ms())
    assert [head.commit for head in read_heads(settings.data / HEADS_FILE)] == [2]


def test_a_chain_whose_end_was_cut_off_is_found_by_its_kept_head(desk: Desk, settings: Settings) -> None:
    desk.player()
    settings = replace(settings, data=desk.path.parent)
    for number in (2, 3):
        desk.player(number)
    run_audit(settings, desk.client, desk.clock)
    last = desk.writer.book.number
    loosen(desk.database)
    for table, column in (
        ("transaction_ledger", "commit_number"),
        ("operations", "created_commit"),
        ("users", "created_commit"),
        ("commits", "number"),
    ):
        desk.database.execute(f"DELETE FROM {table} WHERE {column} = ?", (last,))
    desk.database.execute("DELETE FROM player_keys WHERE user_id NOT IN (SELECT id FROM users)")
    assert audit(desk.database).faults == []
    with pytest.raises(LedgerDoesNotAddUp):
        run_audit(settings, desk.client, desk.clock)
    system = read_status(desk.client, desk.clock.now_ms())
    assert system is not None
    assert system.audit is not None
    assert system.audit.findings == 1


def test_an_unfinished_line_is_no_head(tmp_path: Path) -> None:
    file = tmp_path / HEADS_FILE
    assert read_heads(file) == []
    file.write_bytes(b'{"at_ms":1,"commit":2,"hash":"aa"}\n{"at_ms":2,"com')
    assert read_heads(file) == [Head(1, 2, "aa")]


def test_the_head_after_an_unfinished_line_takes_its_place(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / HEADS_FILE
    desk.player()
    file.write_bytes(b'{"at_ms":1,"commit":2,"hash":"aa"}\n{"at_ms":2,"com')
    kept = keep_head(desk.database, file, desk.clock)
    assert kept is not None
    assert read_heads(file) == [Head(1, 2, "aa"), kept]


@pytest.mark.parametrize("line", [b"junk", b"{}", b'{"at_ms":"1","commit":2,"hash":"aa"}', b"\xff\xfe"])
def test_a_line_that_is_no_head_is_named(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / HEADS_FILE
    file.write_bytes(b'{"at_ms":1,"commit":2,"hash":"aa"}\n' + line + b"\n")
    with pytest.raises(HeadsUnreadable, match=rf"{file}:2: is no head of the hash chain: "):
        read_heads(file)
    with pytest.raises(HeadsUnreadable, match=rf"{tmp_path}: Is a directory"):
        read_heads(tmp_path)
