"""The Makefile's choice of an interpreter: the caller's, unless it was built without optimisations."""

from __future__ import annotations

import os
import subprocess
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
