"""The command line: help, settings, exit statuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runtime.settings_table import TABLE
from runtime.version import build
from taptrade.cli import COMMANDS, main
from taptrade.housekeeping import describe
from tests.function_settings import outside


def taptrade(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = outside()
    command = [sys.executable, "-m", "taptrade", *arguments]
    return subprocess.run(command, env=variables | environment, capture_output=True, text=True, check=False)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {command.name}" in shown and command.help in shown for command in COMMANDS.values())


def test_without_a_command_help_is_shown_and_the_status_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: taptrade" in capsys.readouterr().out


def test_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pay"]) == 2
    assert "no command 'pay'" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: taptrade {name}" in capsys.readouterr().out


def test_config_lists_every_setting_with_value_default_and_help() -> None:
    answer = taptrade("config", TAPTRADE_PORT="8123", TAPTRADE_REDIS_URL="redis://:secret@somewhere:1/0")
    assert answer.returncode == 0
    assert all(row.variable in answer.stdout and row.help in answer.stdout for row in TABLE)
    assert "TAPTRADE_PORT=8123\n    port of the API (set; default 8000)" in answer.stdout
    assert "TAPTRADE_MODE=demo" in answer.stdout
    assert "secret" not in answer.stdout


def test_secrets_are_stars() -> None:
    secrets = [row for row in TABLE if row.secret]
    assert secrets
    assert all(describe(row, {row.variable: "opensesame"}).startswith(f"{row.variable}=***\n") for row in secrets)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        pytest.param({"TAPTRADE_PORT": "99999"}, "TAPTRADE_PORT='99999': must be between 1 and 65535", id="value"),
        pytest.param({"TAPTRADE_PROT": "8000"}, "unknown setting TAPTRADE_PROT", id="misspelt"),
        pytest.param({"TAPTRADE_MODE": "live"}, "TAPTRADE_FEED=replay is refused in live mode", id="unsafe"),
        pytest.param(
            {"TAPTRADE_MODE": "live", "TAPTRADE_FEED": "kraken,binance"},
            "no model is named that has a passing report for the feed binance,kraken",
            id="unproven",
        ),
    ],
)
def test_wrong_settings_are_told_in_one_line(environment: dict[str, str], sentence: str) -> None:
    answer = taptrade("up", **environment)
    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert "Traceback" not in answer.stderr


def test_version_is_printed() -> None:
    from taptrade import __version__

    assert build().release == __version__
    assert taptrade("--version").stdout == f"taptrade {build().version}\n"
