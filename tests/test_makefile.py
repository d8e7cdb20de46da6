"""The Makefile: which interpreter it chooses, and that its folder may have any name."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SYSTEM = "/usr/bin/python3"
FIT = "import sys, pip, venv; sys.exit(sys.version_info < (3, 11))"


def chosen(folder: Path, *, optimised: bool, fit: bool = True, **environment: str) -> str:
    """Return what `make` takes where the caller's python3 is as described."""
    stub = folder / "python3"
    stub.write_text(
        f'#!/bin/sh\ncase "$*" in *sysconfig*) exit {int(not optimised)} ;; *) exit {int(not fit)} ;; esac\n'
    )
    stub.chmod(0o755)
    found = {name: value for name, value in os.environ.items() if name != "PYTHON" and not name.startswith("MAKE")}
    found |= {"PATH": f"{folder}:{os.environ['PATH']}", **environment}
    command = ["make", "-s", "--eval", "chosen: ; @echo $(PYTHON)", "chosen"]
    return subprocess.run(command, cwd=ROOT, env=found, capture_output=True, text=True, check=True).stdout.strip()


def the_system_has_one() -> bool:
    return Path(SYSTEM).exists() and subprocess.run([SYSTEM, "-s", "-c", FIT], check=False).returncode == 0


def test_an_optimised_interpreter_of_the_callers_is_taken(tmp_path: Path) -> None:
    assert chosen(tmp_path, optimised=True) == "python3"


def test_who_names_an_interpreter_gets_it(tmp_path: Path) -> None:
    assert chosen(tmp_path, optimised=False, PYTHON="python3.11") == "python3.11"


@pytest.mark.parametrize(("optimised", "fit"), [(False, True), (True, False)])
def test_else_the_systems_is_taken_if_it_will_do(tmp_path: Path, optimised: bool, fit: bool) -> None:
    expected = SYSTEM if the_system_has_one() else "python3"
    assert chosen(tmp_path, optimised=optimised, fit=fit) == expected


@pytest.mark.integration
def test_the_command_works_in_a_folder_whose_name_no_first_line_can_hold(tmp_path: Path) -> None:
    folder = tmp_path / 'my "best" $games; it\'s #1'
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-build.lock"):
        shutil.copy(ROOT / name, folder)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}
    # The interpreter may lie in such a folder too.
    python = tmp_path / "with blanks" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    make = ["make", "-s", ".venv/.run", "PIP=:", f"PYTHON={python}"]
    subprocess.run(make, cwd=folder, env=environment, capture_output=True, check=True)
    command = [str(folder / ".venv" / "bin" / "taptrade"), "version"]
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert told.startswith("taptrade ")


def test_the_quick_checks_leave_out_what_starts_processes() -> None:
    command = ["make", "-n", "-o", ".venv/.dev", "check"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for part in ("ruff format --check", "ruff check", "mypy", "pytest -q -m unit"):
        assert part in shown
    assert "bandit" not in shown
