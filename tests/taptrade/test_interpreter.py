"""Which interpreters fit: of a version, a kind and a machine that the locked packages are made for."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from taptrade import interpreter

FILE = Path(interpreter.__file__)


def test_ours_is_fit_and_has_our_code_installed(tmp_path: Path) -> None:
    for question in interpreter.QUESTIONS:
        command = [sys.executable, "-I", str(FILE), question]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode in (interpreter.FIT, interpreter.SLOW), done.stdout) == (True, ""), question


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        ((3, 10, 13), "is CPython 3.10.13, and the locked packages are made for CPython 3.11 to 3.13"),
        ((3, 11, 0), ""),
        ((3, 13, 9), ""),
        ((3, 14, 0), "is CPython 3.14.0, and the locked packages are made for CPython 3.11 to 3.13"),
    ],
)
def test_versions(monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], fault: str) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(platform, "python_version", lambda: ".".join(map(str, version)))
    assert interpreter.strange() == fault


@pytest.mark.parametrize(
    ("module", "name", "answer", "fault"),
    [
        (platform, "python_implementation", "PyPy", "is PyPy 3."),
        (platform, "system", "Darwin", "runs on Darwin on "),
        (
            platform,
            "machine",
            "riscv64",
            "runs on Linux on riscv64, and the locked packages are made for Linux on x86_64",
        ),
        (platform, "libc_ver", ("", ""), "stands on another C library"),
        (
            platform,
            "libc_ver",
            ("glibc", "2.17"),
            "stands on glibc 2.17, and the locked packages on glibc 2.28 or later",
        ),
        (platform, "libc_ver", ("glibc", "2.36"), ""),
        (sysconfig, "get_config_var", 1, "is a free-threaded build"),
        (importlib.util, "find_spec", None, "has no pip and no venv"),
    ],
)
def test_kinds(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, answer: Any, fault: str) -> None:
    monkeypatch.setattr(module, name, lambda *_: answer)
    said = interpreter.QUESTIONS["fit"]()
    assert said.startswith(fault)
    assert bool(said) == bool(fault)


@pytest.mark.parametrize(
    ("executable", "arguments", "status"),
    [
        ("/usr/bin/python3", "", interpreter.FIT),
        ("/opt/python3", "'--enable-optimizations'", interpreter.FIT),
        ("/opt/python3", None, interpreter.SLOW),
    ],
)
def test_one_without_optimisations_is_slow(
    monkeypatch: pytest.MonkeyPatch, executable: str, arguments: str | None, status: int
) -> None:
    monkeypatch.setattr(interpreter, "strange", str)
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: arguments)
    assert interpreter.main("fit") == status


@pytest.mark.parametrize("origin", [None, "/another/taptrade/__init__.py"])
def test_the_code_of_another_folder_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], origin: str | None
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: SimpleNamespace(origin=origin) if origin else None)
    assert interpreter.main("installed") == interpreter.UNFIT
    assert capsys.readouterr().out == f"has {origin or 'nothing'} installed\n"
