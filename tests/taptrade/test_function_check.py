"""A function that cannot serve ends `taptrade up` at once, with a sentence, before anything is written."""

from __future__ import annotations

import importlib
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import functions
import jobs
from taptrade import function_check
from tests.function_settings import outside
from tests.interpreter import preferring
from tests.waiting import wait_until

DECLARED = '''"""A function."""

from runtime.function import Call, function


@function("GET", "{route}", auth="none", guards=({guards}), summary="Say", response=str)
def say(call: Call[None]) -> str:
    """Say it."""
    return ""
'''

MISSPELT = """from __future__ import annotations

import msgspec

from runtime.function import Call, function


class Said(msgspec.Struct):
    bets: itn


@function("GET", "/x", auth="none", summary="Say", response=Said)
def say(call: Call[None]) -> Said:
    return Said(1)
"""


def up(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `taptrade up`, or another command, over the functions in `folder`."""
    environment = outside()
    environment |= {"TAPTRADE_DATA": str(folder / "data"), **variables}
    words = [str(folder / "python" / "bin" / "python"), "-I", "-m", "taptrade", *(command or ("up",))]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a copy of all functions, and a Python that finds them there."""
    preferring(tmp_path, tmp_path / "python")
    shutil.copytree(Path(functions.__path__[0]), tmp_path / "functions")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(
            "import os\nimport msgspecc\n",
            "line 2: ModuleNotFoundError: No module named 'msgspecc'",
            id="library that is not there",
        ),
        pytest.param("def f()\n", "syntax error in line 1: expected ':'", id="syntax"),
        pytest.param("print('busy')\nraise SystemExit\n", "line 2: SystemExit: ", id="exit"),
        pytest.param("raise ValueError('one\\ntwo')\n", "line 1: ValueError: one two", id="reason of two lines"),
        pytest.param(
            DECLARED.format(route="/api/grid", guards=""), "GET /api/grid is declared in ", id="route that is taken"
        ),
        pytest.param(DECLARED.format(route="/x", guards="'dog',"), "unknown guard 'dog'", id="guard"),
        pytest.param(DECLARED.format(route="/x/{a b}", guards=""), "route /x/{a b} cannot be added", id="route"),
        pytest.param(
            MISSPELT,
            "line 9: the type of `bets` in Said cannot be read: name 'itn' is not defined",
            id="type of a field",
        ),
    ],
)
def test_a_broken_function_is_named_before_anything_starts(folder: Path, source: str, reason: str) -> None:
    file = folder / "functions" / "xyz.py"
    file.write_text(source)
    done = up(folder)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"taptrade: {file}: ")
    assert reason.strip() in line
    assert not (folder / "data").exists()


def test_a_reward_model_that_cannot_be_loaded_is_named_before_anything_starts(folder: Path) -> None:
    done = up(folder, TAPTRADE_REWARD_MODEL="nobody.knows:It")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("taptrade: TAPTRADE_REWARD_MODEL: reward model 'nobody.knows:It': cannot import")
    assert not (folder / "data").exists()


def test_a_recording_that_cannot_be_replayed_is_named_before_anything_starts(folder: Path) -> None:
    recording = folder / "half.csv"
    recording.write_text("ts_ms,price\n1767657600000,93748.95\n1767657600250,937")
    done = up(folder, TAPTRADE_REPLAY_FILE=str(recording))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"taptrade: TAPTRADE_REPLAY_FILE: {recording}:3: '1767657600250,937': may be half")
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(
            "from runtime.triggers import cron\n\n@cron('0 99 * * *')\ndef x() -> None:\n    'Do.'\n",
            "backup.py: line 3: DeclarationError: '0 99 * * *' are no times of the calendar: ",
            id="times that are none",
        ),
        pytest.param(
            "import runtime.triggers\ndef\n", "backup.py: syntax error in line 2: invalid syntax", id="syntax"
        ),
    ],
)
def test_a_broken_periodic_job_is_named_before_anything_starts(folder: Path, source: str, reason: str) -> None:
    shutil.copytree(Path(jobs.__path__[0]), folder / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "jobs" / "upkeep" / "backup.py").write_text(source)
    done = up(folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert reason in done.stderr
    assert not (folder / "data").exists()


def test_what_a_function_imports_is_named_where_it_breaks(folder: Path) -> None:
    (folder / "functions" / "xyz.py").write_text("import broken_part\n")
    (folder / "broken_part.py").write_text("\n\nnobody\n")
    assert "xyz.py: line 1: NameError: name 'nobody' is not defined (in " in up(folder).stderr
    (folder / "broken_part.py").write_text("\ndef\n")
    assert f"xyz.py: line 1: syntax error in {folder}/broken_part.py, line 2: " in up(folder).stderr


def test_a_process_of_a_developer_waits_for_a_broken_function_to_be_mended(folder: Path) -> None:
    (folder / "functions" / "xyz.py").write_text("from runtime.triggers import nothing\n")
    (folder / "data").mkdir()
    variables = {"TAPTRADE_DATA": str(folder / "data"), "TAPTRADE_REDIS_URL": "redis://127.0.0.1:1/0"}
    words = [str(folder / "python" / "bin" / "python"), "-I", "-m", "taptrade", "serve", "functions", "--reload"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, cwd=folder, env=outside() | variables, stdout=log, stderr=log)
    try:
        wait_until(lambda: "waits until this is mended: " in (folder / "log").read_text(), timeout_s=20)
        assert f"{folder}/functions/xyz.py: line 1: ImportError: " in (folder / "log").read_text()
        assert process.poll() is None
        (folder / "functions" / "xyz.py").unlink()
        assert process.wait(20) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()


@pytest.mark.integration
def test_settings_that_no_function_takes_are_told_and_refuse_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "given.toml"
    given.touch(0o600)
    given.write_text("[big_payuot]\nother = 5\n")
    monkeypatch.setenv("TAPTRADE_FUNCTION_SETTINGS", str(given))
    function_check.require_functions()
    assert capsys.readouterr().err == f"taptrade: {given}: no function takes the settings of [big_payuot]\n"


def test_a_container_of_the_api_ends_with_the_sentence(folder: Path) -> None:
    (folder / "functions" / "xyz.py").write_text("def f()\n")
    done = up(folder, "serve", "api", TAPTRADE_REDIS_URL="redis://127.0.0.1:1/0")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"taptrade: {folder}/functions/xyz.py: syntax error in line 1")


def test_routes_of_broken_functions_are_refused_in_a_sentence(folder: Path) -> None:
    (folder / "functions" / "xyz.py").write_text("import msgspecc\n")
    words = [str(folder / "python" / "bin" / "python"), "-I", "-m", "taptrade", "routes"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("\nimport msgspecc\n", "line 2: ModuleNotFoundError: No module named 'msgspecc'", id="import"),
        pytest.param("\n\ndef\n", "line 3: SyntaxError: invalid syntax", id="syntax"),
    ],
)
def test_what_breaks_beside_the_functions_is_named(
    source: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken_room.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(function_check, "build", lambda _: importlib.import_module("broken_room"))
    assert function_check.main(0) == 1
    assert capsys.readouterr().out.startswith(f"{tmp_path}/broken_room.py, {reason}")


def test_ours_can_be_wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    assert (function_check.main(0), capsys.readouterr().out) == (0, "")
