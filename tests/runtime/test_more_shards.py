"""More shards than a process began with are told of once, and a database that is away is no news."""

from __future__ import annotations

from pathlib import Path

from runtime.errors import Unavailable
from runtime.more_shards import MoreShards, correct, note, noted


def test_more_shards_are_told_of_once_and_an_outage_is_no_news() -> None:
    answers: list[int | Exception] = [1, Unavailable("away"), 2, 2, 3]
    told: list[int] = []

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    watch = MoreShards(ask, 1, told.append, Unavailable)
    while answers:
        watch.look()
    assert told == [2, 3]


def test_what_is_noted_is_read_and_what_is_not_is_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    correct(tmp_path, 1)
    assert noted(tmp_path) == 0
    for shards in (2, 3):
        note(tmp_path, shards)
        assert noted(tmp_path) == shards
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["shards"]
    correct(tmp_path, 3)
    assert noted(tmp_path) == 3
    correct(tmp_path, 1)
    assert noted(tmp_path) == 1
    (tmp_path / "run" / "shards").write_text("half")
    assert noted(tmp_path) == 0
