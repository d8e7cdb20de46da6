"""The dashboard's key: made once, kept by its owner alone, and replaced by one that is set."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jobs.dashboard.key import key_file, prepare_key, read_key
from runtime.settings import Settings, load

SET = "s" * 32


def settings_of(data: Path, key: str = "") -> Settings:
    return load({"TAPTRADE_DATA": str(data), "TAPTRADE_DASHBOARD_KEY": key})


def test_a_start_makes_a_key_that_its_owner_alone_can_read_and_the_next_one_keeps_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    key = prepare_key(settings)
    assert len(key) >= 43
    assert stat.S_IMODE(key_file(settings.data).stat().st_mode) == 0o600
    assert (prepare_key(settings), read_key(settings.data)) == (key, key)
    assert [path.name for path in settings.data.iterdir()] == ["dashboard.key"]


def test_a_key_that_others_could_read_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_of(tmp_path)
    key = prepare_key(settings)
    key_file(tmp_path).chmod(0o640)
    fresh = prepare_key(settings)
    assert fresh != key
    assert read_key(tmp_path) == fresh
    assert stat.S_IMODE(key_file(tmp_path).stat().st_mode) == 0o600
    assert "others could read" in caplog.text
    assert fresh not in caplog.text


def test_a_key_that_is_set_counts_alone(tmp_path: Path) -> None:
    prepare_key(settings_of(tmp_path))
    assert prepare_key(settings_of(tmp_path, SET)) == SET
    assert read_key(tmp_path) == ""


def test_an_empty_file_is_no_key(tmp_path: Path) -> None:
    key_file(tmp_path).touch(mode=0o600)
    assert read_key(tmp_path) == ""
    assert len(prepare_key(settings_of(tmp_path))) >= 43
