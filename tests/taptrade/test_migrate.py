"""`taptrade migrate --check`: what a release would apply, and whether it knows the schema; nothing changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jobs.writer.main import main as serve_writer
from runtime.settings import load
from runtime.storage.schema import WrongSchema
from taptrade.cli import main

NEWER = "INSERT INTO schema_migrations VALUES ('9999_newer.sql', '', 0)"


def test_a_look_tells_what_is_lacking_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "data"))
    assert main(["migrate", "--check"]) == 0
    assert "lacks 0001_initial.sql\n" in capsys.readouterr().out
    assert not (tmp_path / "data").exists()
    assert main(["migrate"]) == 0
    capsys.readouterr()
    assert main(["migrate", "--check"]) == 0
    assert capsys.readouterr().out == "nothing to do\n"


@pytest.mark.parametrize("database", ["database", "ticks_database"])
def test_a_release_refuses_what_a_newer_one_has_made(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "data"))
    assert main(["migrate"]) == 0
    with closing(sqlite3.connect(getattr(load(), database))) as opened, opened:
        opened.execute(NEWER)
    refusal = "has the migration 9999_newer.sql, which this version does not know: run the newer version"
    for words in (["migrate", "--check"], ["migrate"]):
        assert main(words) == 2
        assert refusal in capsys.readouterr().err
    if database == "database":
        with pytest.raises(WrongSchema, match=refusal):
            serve_writer(load(), stand_by=lambda: pytest.fail("nobody is at work"))
