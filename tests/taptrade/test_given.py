"""Settings of functions on the command line: shown with stars, given to what is invoked, and to a trial by a test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from runtime.clock import ManualClock
from runtime.function_files import functions_folder
from runtime.function_settings import NotItsSettings
from runtime.settings import Settings
from taptrade.trial import open_trial
from tests.interpreter import preferring
from tests.taptrade.test_function_check import up

SAYS = '''"""GET /api/says and a beat: each says its own setting."""

import msgspec

from runtime.function import Call, FunctionSettings, Secret, function
from runtime.triggers import Run, every


class Own(FunctionSettings, frozen=True):
    """What each needs."""

    key: Secret
    times: int = 1


class Said(msgspec.Struct):
    """What is answered."""

    said: str


@function("GET", "/api/says", auth="none", summary="Say it", response=Said, settings=Own)
def says(call: Call[None]) -> Said:
    """Say it."""
    own = call.own_settings(Own)
    return Said(own.key.reveal() * own.times)


@every("1 h", settings=Own)
def beat(run: Run[None]) -> str:
    """Say it."""
    return run.own_settings(Own).key.reveal()
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with all functions and one with settings, and a Python that finds them there."""
    preferring(tmp_path, tmp_path / "python")
    shutil.copytree(functions_folder(), tmp_path / "functions")
    (tmp_path / "functions" / "says.py").write_text(SAYS)
    given = tmp_path / "data" / "function_settings.toml"
    given.parent.mkdir()
    given.touch(0o600)
    given.write_text("[says.says]\nkey = 'hush'\ntimes = 2\n")
    return tmp_path


def test_settings_are_shown_with_stars_and_given_to_what_is_invoked(folder: Path) -> None:
    def said(*command: str) -> str:
        done: subprocess.CompletedProcess[str] = up(folder, *command, TAPTRADE_FUNCTION_SETTINGS="")
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = said("config")
    assert "[says.says] key=***\n" in listed
    assert "[says.says] times=2\n" in listed
    assert "says.beat lacks its setting `key`: see [says.beat] in " in listed
    assert "hush" not in listed
    [shown] = msgspec.json.decode(said("functions", "says.says", "--json"))
    assert (shown["settings"], shown["version"]) == (["key", "times"], 0)
    assert msgspec.json.decode(said("invoke", "says.says")) == {"said": "hushhush"}
    assert msgspec.json.decode(said("invoke", "says.says", "--setting", "key=a", "--setting", "times=3")) == {
        "said": "aaa"
    }
    refused = up(folder, "invoke", "says.beat", TAPTRADE_FUNCTION_SETTINGS="")
    assert refused.returncode == 2
    assert "says.beat lacks its setting `key`" in refused.stderr


def test_a_test_gives_a_function_its_settings(folder: Path, settings: Settings, clock: ManualClock) -> None:
    own = folder / "alone"
    own.mkdir()
    (own / "says.py").write_text(SAYS)
    with open_trial(settings, clock, own) as trial:
        with pytest.raises(NotItsSettings, match=r"says\.beat was given no settings"):
            trial.run("says.beat")
        trial.give("says.beat", key="k")
        assert trial.run("says.beat") == "k"
        trial.give("says.says", key="s", times=2)
        assert trial.call("GET", "/api/says").json == {"said": "ss"}
        with pytest.raises(ValueError, match="has no setting `kye`"):
            trial.give("says.says", key="s", kye="s")
