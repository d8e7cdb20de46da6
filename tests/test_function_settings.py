"""A function with a secret of its own breaks no test that starts a house: each is given what tests have for it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runtime.function_files import functions_folder
from runtime.function_settings import Declares, given_to, read
from runtime.settings import load
from runtime.triggers.discovery import triggers_in
from runtime.web.discovery import discover
from tests import function_settings
from tests.acceptance.system import System
from tests.function_settings import VARIABLE, lay_out


def test_what_functions_need_stands_in_the_file_of_tests(tmp_path: Path) -> None:
    functions: list[Declares] = [*discover(functions_folder()), *triggers_in(functions_folder())]
    given_to(functions, Path(load(System(tmp_path).variables).function_settings))


def test_a_house_of_tests_is_given_them_where_nobody_else_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "given.toml"
    file.write_text("[mail]\nkey = 'k'\n")
    monkeypatch.setattr(function_settings, "FILE", file)
    monkeypatch.setenv(VARIABLE, os.environ[VARIABLE])
    monkeypatch.setenv("TAPTRADE_PORT", "1")
    laid_out = lay_out()
    variables = System(tmp_path / "data").variables
    assert (variables[VARIABLE], variables["TAPTRADE_PORT"] == "1") == (str(laid_out), False)
    assert (read(laid_out), stat.S_IMODE(laid_out.stat().st_mode)) == ({"mail": {"key": "k"}}, 0o600)
    laid_out.unlink()
