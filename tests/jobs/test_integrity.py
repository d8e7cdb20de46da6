"""The head of the hash chain is kept outside the database."""

from __future__ import annotations

from pathlib import Path

import msgspec

from jobs.integrity import Head, keep_head
from runtime.clock import ManualClock
from runtime.db import open_writer


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
