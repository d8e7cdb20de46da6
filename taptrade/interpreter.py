"""Can the locked packages be installed for the interpreter that runs this file, and were they, for this folder?

The Makefile asks this of any Python that a machine has, by the file's path: nothing of ours is installed for it yet.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

FIT, UNFIT, SLOW = 0, 1, 3
"""Exit statuses. A slow interpreter is fit, but was built without optimisations: a bet costs a third more."""
MACHINES = ("x86_64", "aarch64")
GLIBC_LEAST = (2, 28)
"""What the wheels in the lock files are made for, beside the versions that pyproject.toml names."""
ROOT = Path(__file__).resolve().parent.parent


def versions() -> tuple[int, int]:
    """Return the first and the last minor version of Python 3 that pyproject.toml allows."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    first, beyond = re.findall(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$', text, re.MULTILINE)[0]
    return int(first), int(beyond) - 1


def strange() -> str:
    """Say that this interpreter is of a kind that the packages are not made for, in words that follow its name."""
    first, last = versions()
    fitting = f"the locked packages are made for CPython 3.{first} to 3.{last}"
    if not (3, first) <= sys.version_info[:2] <= (3, last) or platform.python_implementation() != "CPython":
        return f"is {platform.python_implementation()} {platform.python_version()}, and {fitting}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return f"is a free-threaded build, and {fitting} with its lock"
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in MACHINES:
        return f"runs on {system} on {machine}, and the locked packages are made for Linux on {' or '.join(MACHINES)}"
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(map(int, version.split("."))) < GLIBC_LEAST:
        return f"stands on {library or 'another C library'} {version}, and the locked packages on glibc 2.28 or later"
    return ""


def bare() -> str:
    """Say what this interpreter lacks to make an environment and to fill it."""
    absent = [name for name in ("pip", "venv") if importlib.util.find_spec(name) is None]
    return f"has no {' and no '.join(absent)}" if absent else ""


def foreign() -> str:
    """Say that what is installed beside this interpreter is not the code of this folder."""
    found = importlib.util.find_spec("taptrade")
    origin = found.origin if found else None
    return (
        "" if origin and Path(origin).resolve().parent == ROOT / "taptrade" else f"has {origin or 'nothing'} installed"
    )


QUESTIONS: dict[str, Callable[[], str]] = {
    "fit": lambda: strange() or bare(),
    "made": strange,
    "installed": lambda: strange() or foreign(),
}
"""Can it make an environment, is it fit to be in one, is it one that is filled."""


def main(question: str) -> int:
    """Answer one of the questions: print what is wrong, if anything is."""
    wrong = QUESTIONS[question]()
    if wrong:
        print(wrong)
        return UNFIT
    return FIT if is_optimised() else SLOW


def is_optimised() -> bool:
    """Tell whether this interpreter was built with optimisations, as far as it says."""
    of_the_system = os.path.realpath(sys.executable).startswith("/usr/bin/")
    return of_the_system or "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
