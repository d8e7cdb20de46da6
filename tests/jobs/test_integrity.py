"""The head of the hash chain is kept outside the database."""

from __future__ import annotations

from pathlib import Path

import msgspec

import runtime
from jobs.integrity import Head, keep_head
from runtime.clock import ManualClock
from runtime.db import migrate, open_writer


def test_head_is_appended_each_time(tmp_path: Path, clock: ManualClock) -> None:
    live, file = tmp_path / "taptrade.db", tmp_path / "heads.jsonl"
    migrate(live, Path(runtime.__path__[0]) / "migrations", clock)
    database = open_writer(live)
    assert keep_head(database, file, clock) is None
    for number in (1, 2):
        database.execute(
            "INSERT INTO commits (number, committed_ms, previous_hash, hash, records, house)"
            " VALUES (?, 0, ?, ?, 0, '{}')",
            (number, "0" * 64, f"{number:064x}"),
        )
        keep_head(database, file, clock)
        clock.advance(1000)
    database.close()
    start_ms = clock.now_ms() - 2000
    assert [msgspec.json.decode(line, type=Head) for line in file.read_bytes().splitlines()] == [
        Head(start_ms, 1, f"{1:064x}"),
        Head(start_ms + 1000, 2, f"{2:064x}"),
    ]
