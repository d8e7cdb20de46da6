"""Output that finds nobody, no disk or another encoding: a sentence at most, and the exit code of what was done."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.messaging.commands import Outcome
from taptrade.asking import tell

PYTHON = shlex.quote(sys.executable)


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("TAPTRADE_", "PYTHON"))}
    command = ["bash", "-c", script]
    return subprocess.run(command, env=variables | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", ["--help", "version", "config", "serve --help", "dispute --help"])
def test_a_reader_that_has_gone_is_no_trouble(arguments: str) -> None:
    done = shell(f"{{ {PYTHON} -m taptrade {arguments}; echo status $? >&2; }} | true")
    assert (done.stdout, done.stderr) == ("", "status 0\n")


@pytest.mark.parametrize("arguments", ["--help", "version", "config", "serve --help", "dispute --help"])
def test_a_disk_that_is_full_is_told_in_a_sentence(arguments: str) -> None:
    done = shell(f"{PYTHON} -m taptrade {arguments} > /dev/full")
    assert (done.returncode, done.stderr) == (2, "taptrade: cannot write: No space left on device\n")


def test_closed_output_is_no_trouble() -> None:
    done = shell(f"{PYTHON} -m taptrade config >&- 2>&- <&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("code", "status"), [(None, 0), ("REFERENCE_USED", 1)])
def test_the_status_tells_what_became_of_the_money_though_nobody_hears_of_it(
    code: str | None, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert tell(Outcome("01A", {}, code), "deposited", as_json=True) == status
    assert capsys.readouterr().err == "cannot write the answer: No space left on device\n"


def test_other_encodings_show_what_they_lack_escaped_and_json_is_utf_8(tmp_path: Path) -> None:
    script = "from taptrade.output import prepare_output as p; p(json={}); print('Zo\\xeb \\u20ac \\udcff')"
    for json, encoding, shown in ((False, "ascii", "Zo\\xeb \\u20ac \\udcff"), (True, "ascii", "Zoë € \\udcff")):
        command = [sys.executable, "-c", script.format(json)]
        done = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True, check=True)
        assert done.stdout.decode() == f"{shown}\n"


def test_a_folder_that_was_removed_under_the_shell_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    done = shell(
        f"mkdir {gone}; cd {gone}; rmdir {gone}; PYTHONPATH={shlex.quote(str(Path.cwd()))} {PYTHON} -m taptrade audit"
    )
    assert done.returncode == 2
    assert done.stderr == "taptrade: TAPTRADE_DATA=data: the folder that this is run in: No such file or directory\n"
