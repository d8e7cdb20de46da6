"""`taptrade dashboard`: the address and the key, or why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.dashboard.key import prepare_key
from runtime.settings import load
from taptrade.claims import lock_data
from taptrade.dashboard import main

SET = "s" * 32


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TAPTRADE_DASHBOARD_PORT", "TAPTRADE_DASHBOARD_DOMAIN", "TAPTRADE_DASHBOARD_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    return tmp_path


def test_the_key_of_the_data_folder_and_the_address_of_its_run_are_printed(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = prepare_key(load())
    assert main([]) == 0
    assert capsys.readouterr().out == f"http://127.0.0.1:9181/\n{key}\n"
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("::", "[::1]")):
        run = {"TAPTRADE_DATA": str(data), "TAPTRADE_DASHBOARD_PORT": "9999", "TAPTRADE_DASHBOARD_HOST": host}
        with lock_data(load(run)):
            assert main([]) == 0
        assert capsys.readouterr().out == f"http://{shown}:9999/\n{key}\n"


@pytest.mark.usefixtures("data")
def test_what_is_set_goes_before(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    prepare_key(load())
    monkeypatch.setenv("TAPTRADE_DASHBOARD_KEY", SET)
    monkeypatch.setenv("TAPTRADE_DASHBOARD_DOMAIN", "ops.example")
    assert main([]) == 0
    assert capsys.readouterr().out == f"http://ops.example/\n{SET}\n"


@pytest.mark.usefixtures("data")
def test_no_key_is_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert "no key was made" in capsys.readouterr().err
