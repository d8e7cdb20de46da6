"""What a ledger on PostgreSQL does not have refuses in a sentence that says what does it instead, and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from jobs.upkeep.archive import archive_weeks
from jobs.upkeep.backup import backup_live
from runtime.postgresql.choice import NotOnPostgreSQL
from runtime.settings import SettingsError, load
from taptrade import archive, backup, forget, restore

URL = "postgresql://house:secret@db.example/house"


@pytest.fixture(autouse=True)
def _on_postgresql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAPTRADE_DATABASE_URL", URL)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("main", "argv", "instead"),
    [
        pytest.param(backup.main, [], "pg_basebackup", id="backup"),
        pytest.param(archive.main, ["run"], "the whole history stays", id="archive"),
        pytest.param(forget.main, ["0x" + "1" * 40, "--who", "op", "--why", "x"], "old states of rows", id="forget"),
        pytest.param(restore.main, ["--to", "elsewhere"], "base backup", id="restore"),
    ],
)
def test_commands_refuse(main: Callable[[Sequence[str]], int], argv: list[str], instead: str, tmp_path: Path) -> None:
    with pytest.raises(NotOnPostgreSQL, match=instead) as told:
        main(argv)
    assert "secret" not in str(told.value)
    assert not (tmp_path / "data").exists()


def test_periodic_jobs_leave_it_out_and_say_so() -> None:
    assert list(archive_weeks()) == ["left_out"]
    assert list(backup_live()) == ["left_out"]


def test_a_replica_beside_it_is_refused_and_the_url_is_shown_to_nobody() -> None:
    environ = {"TAPTRADE_DATABASE_URL": URL}
    assert "secret" not in repr(load(environ))
    with pytest.raises(SettingsError, match="TAPTRADE_REPLICA_URL ships SQLite's files"):
        load({**environ, "TAPTRADE_REPLICA_URL": "/somewhere"})
    for wrong in ("mysql://h/d", "postgresql://h", "h/d"):
        with pytest.raises(SettingsError, match=r"TAPTRADE_DATABASE_URL=\*\*\*: must"):
            load({"TAPTRADE_DATABASE_URL": wrong})
