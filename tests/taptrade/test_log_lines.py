"""Lines of logs about something: found as whole words, read in every form that our processes write."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from taptrade.log_lines import LogLine, lines_about, log_files, parsed

AT_MS = 1_790_000_000_000
ID = "01M3250V00MQJACESPQ4RNKD8E"
LOCAL_MS = round(datetime(2026, 9, 21, 14, 13, 20).astimezone().timestamp() * 1000)


@pytest.mark.parametrize(
    ("line", "at_ms", "process", "text"),
    [
        (
            '{"time":"2026-09-21T14:13:20Z","level":"ERROR","process":"api","message":"n","traceback":"T\\nOdd: x"}',
            AT_MS,
            "api",
            "ERROR n; Odd: x",
        ),
        (
            '{"time":"2026-09-21T16:13:20+02:00","process":"nginx","request_id":"r1","status":"504","upstream_status":""}',
            AT_MS,
            "nginx",
            "request_id=r1 status=504",
        ),
        ("2026-09-21T14:13:20.000Z WARNING writer: late", AT_MS, "writer", "late"),
        ("[2026-09-21 14:13:20 +0000] [7] [INFO] Booting", AT_MS, "some", "[7] [INFO] Booting"),
        ("7:M 21 Sep 2026 14:13:20.000 * Ready", AT_MS, "some", "* Ready"),
        ("2026-09-21 14:13:20,000 INFO spawned: 'api'", LOCAL_MS, "some", "INFO spawned: 'api'"),
        ("2026/09/21 14:13:20 [error] 7#7: refused", LOCAL_MS, "some", "[error] 7#7: refused"),
        ('api-1  | {"time":"2026-09-21T14:13:20Z","process":"api","message":"m"}', AT_MS, "api", "m"),
        ("redis-1  | 7:M 21 Sep 2026 14:13:20.000 * Ready", AT_MS, "redis", "* Ready"),
        ('{"time":"2026-09-21T14:13', None, "some", '{"time":"2026-09-21T14:13'),
        ('{"time":"soon","message":"m"}', None, "some", "m"),
        ("anything", None, "some", "anything"),
    ],
)
def test_each_form_is_read(line: str, at_ms: int | None, process: str, text: str) -> None:
    assert parsed(line, Path("logs/some.log")) == LogLine(at_ms, process, text, "some.log")


def test_what_looks_like_a_secret_is_not_told() -> None:
    assert "s3cret" not in parsed("password=s3cret", Path("a.log")).text
    assert "ab" * 40 not in parsed(f'{{"message":"0x{"ab" * 65}"}}', Path("a.log")).text


def test_words_are_found_whole_and_in_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"commit 12 x\ncommit 123 x\nxcommit 12\n{ID}1\n", encoding="utf-8")
    (tmp_path / "a.log.1").write_bytes(b"older: " + ID.encode() + b" \xff\n")
    os.utime(tmp_path / "a.log.1", (1, 1))
    (tmp_path / "notes.txt").write_text(ID, encoding="utf-8")
    files = log_files(tmp_path)
    assert [path.name for path in files] == ["a.log.1", "a.log"]
    assert [line.text for line in lines_about(["commit 12", ID], files)] == [
        f"older: {ID} \N{REPLACEMENT CHARACTER}",
        "commit 12 x",
    ]
