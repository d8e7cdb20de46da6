"""The Makefile: which interpreter it chooses, what it lets through to its tools, and which folders it can work in."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from taptrade.interpreter import FIT, SLOW, UNFIT, versions

ROOT = Path(__file__).parents[1]
PYTHONS = ("python3", "python3.13", "python3.12", "python3.11")
ALIEN = {"PYTHONPATH": "/x", "PIP_USER": "yes", "PIP_TARGET": "/x", "PIP_PREFIX": "/x", "UV_PYTHON": "3.8"}
PACKAGES_FROM = {"PIP_INDEX_URL": "http://x/simple", "PIP_CERT": "/x.pem", "PIP_CONFIG_FILE": "/dev/null"}


def stub(folder: Path, name: str, status: int, says: str = "") -> None:
    """Put an interpreter into a folder that answers whether it is fit."""
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    (folder / name).chmod(0o755)


def make(
    *words: str, folder: Path = ROOT, path: Path | None = None, given: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run make as a person does whose environment is only `given`, but for what this machine needs."""
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHON" and not name.startswith("MAKE")
    }
    environment |= {"PATH": f"{path}:{os.environ['PATH']}"} if path else {}
    command = ["make", "-s", *words]
    return subprocess.run(
        command, cwd=folder, env=environment | dict(given or {}), capture_output=True, text=True, check=False
    )


def chosen(folder: Path, statuses: Mapping[str, int], *words: str, **environment: str) -> str:
    """Return what `make` takes where the interpreters of a machine answer with these statuses."""
    for name in PYTHONS:
        stub(folder, name, statuses.get(name, UNFIT))
    shown = ("--eval", "chosen: ; @echo $(PYTHON)", "chosen")
    return make(f"PYTHONS={' '.join(PYTHONS)}", *words, *shown, path=folder, given=environment).stdout.strip()


@pytest.mark.parametrize(
    ("statuses", "taken"),
    [
        pytest.param({"python3": FIT, "python3.13": FIT}, "python3", id="the caller's"),
        pytest.param({"python3.12": FIT}, "python3.12", id="another where the caller's does not fit"),
        pytest.param({"python3": SLOW, "python3.13": FIT}, "python3.13", id="another where the caller's is slow"),
        pytest.param({"python3": SLOW, "python3.13": SLOW}, "python3", id="the caller's where all are slow"),
        pytest.param({"python3.12": SLOW}, "python3.12", id="a slow one where none else fits"),
        pytest.param({}, "python3", id="none fits"),
    ],
)
def test_an_interpreter_that_fits_is_taken(tmp_path: Path, statuses: Mapping[str, int], taken: str) -> None:
    assert chosen(tmp_path, statuses) == taken


def test_who_names_an_interpreter_gets_it(tmp_path: Path) -> None:
    assert chosen(tmp_path, {"python3": FIT}, PYTHON="python3.11") == "python3.11"
    assert chosen(tmp_path, {"python3": FIT}, "PYTHON=python3.12") == "python3.12"


def test_make_knows_every_version_that_the_project_allows() -> None:
    first, last = versions()
    known = make("--eval", "known: ; @echo $(PYTHONS)", "known").stdout.split()
    wanted = [f"python3.{minor}" for minor in range(last, first - 1, -1)]
    assert known == ["python3", "/usr/bin/python3", *wanted]
    assert f"Python 3.{first} to 3.{last} with pip" in (ROOT / "README.md").read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with what an installation begins with."""
    folder = tmp_path / "clone"
    (folder / "taptrade").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-build.lock"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "taptrade" / "interpreter.py", folder / "taptrade")
    return folder


def test_an_interpreter_that_does_not_fit_is_refused_before_anything_is_made(folder: Path, tmp_path: Path) -> None:
    stub(tmp_path, "python3.14", UNFIT, "is CPython 3.14.0, and the locked packages are made for CPython 3.11 to 3.13")
    done = make("run", f"PYTHON={tmp_path}/python3.14", folder=folder)
    assert done.returncode != 0
    assert f"make: {tmp_path}/python3.14 is CPython 3.14.0, and the locked packages are made for CPython" in done.stderr
    assert make("run", "PYTHON=/nobody/has/this", folder=folder).stderr.startswith(
        "make: /nobody/has/this cannot be run, or is far too old;"
    )
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("name", ["a:b", "$games"])
def test_a_folder_that_cannot_hold_an_environment_is_refused(folder: Path, name: str) -> None:
    odd = folder.rename(folder.with_name(name))
    done = make("run", folder=odd)
    assert done.returncode != 0
    assert "the path of this folder has a colon or a dollar sign" in done.stderr
    assert not (odd / ".venv").exists()


def installed(folder: Path) -> None:
    """Make an environment as `make` does, without asking for any package."""
    made = make(".venv/.run", "PIP=:", f"PYTHON={sys.executable}", folder=folder)
    assert made.returncode == 0, made.stderr
    [packages] = (folder / ".venv").glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(f"{folder}\nimport site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")


@pytest.mark.parametrize("moved", [True, False])
def test_an_environment_of_another_folder_or_python_is_told_with_what_to_do(folder: Path, moved: bool) -> None:
    (folder / "taptrade" / "__init__.py").touch()
    installed(folder)
    assert make("-n", "run", folder=folder).returncode == 0
    if moved:
        folder = folder.rename(folder.with_name("moved"))
    else:
        (folder / ".venv" / "bin" / "python").unlink()
        (folder / ".venv" / "bin" / "python").symlink_to("/nobody/has/this/python3")
    done = make("run", folder=folder)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert ".venv was made for another folder, or by a Python that has gone or changed; `make clean`" in done.stderr
    assert (folder / ".venv" / ".run").exists()
    assert make("clean", folder=folder).returncode == 0


def test_an_environment_that_was_begun_with_an_interpreter_that_does_not_fit_is_told(folder: Path) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True)
    stub(folder / ".venv" / "bin", "python", UNFIT)
    done = make("run", f"PYTHON={sys.executable}", folder=folder)
    assert done.returncode != 0
    assert "`make clean`, then the same again" in done.stderr
    stub(folder / ".venv" / "bin", "python", SLOW)
    assert "installing the locked packages" in make("-n", "run", f"PYTHON={sys.executable}", folder=folder).stdout


def test_settings_of_other_tools_do_not_reach_ours_but_where_packages_come_from_does() -> None:
    shown = make("--eval", "shown: ; @env", "shown", given=ALIEN | PACKAGES_FROM).stdout.splitlines()
    seen = dict(line.partition("=")[::2] for line in shown if "=" in line)
    assert {name for name in ALIEN if name in seen} == {"PIP_USER"}
    assert {name: value for name, value in seen.items() if name in PACKAGES_FROM} == PACKAGES_FROM
    off = ("PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_REQUIRE_HASHES", "PIP_DRY_RUN")
    assert [seen[name] for name in off] == ["0"] * len(off)


def test_a_file_of_pips_configuration_does_not_lead_the_packages_away(tmp_path: Path) -> None:
    """What make says to pip goes before what the file says; pip itself reads them here, and would ask for nothing."""
    (tmp_path / "pip.conf").write_text("[install]\nuser=yes\ntarget=/x\nprefix=/x\nroot=/x\nno-binary=:all:\n")
    shown = make("--eval", "shown: ; @printf '%s\\n' $(PIP)", "shown", f"PYTHON={sys.executable}").stdout.splitlines()
    assert shown[shown.index("install") :] == [
        *("install", "-q", "--no-build-isolation", "--use-pep517"),
        *(
            "--prefix",
            f"{ROOT}/.venv",
            "--root",
            "/",
            "--target",
            "",
            "--no-binary",
            ":none:",
            "--only-binary",
            ":none:",
        ),
    ]
    with (tmp_path / "pip.conf").open("a") as file:
        file.write(f"dry-run=yes\nrequire-hashes=yes\n[global]\nno-index=yes\nfind-links={tmp_path}\n")
    environment = make("--eval", "shown: ; @env", "shown", given={"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}).stdout
    off = dict(line.partition("=")[::2] for line in environment.splitlines() if line.startswith("PIP_"))
    venv = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    command = [*shown, str(sample_wheel(tmp_path))]
    command[command.index("--python") + 1] = str(venv / "bin" / "python")
    command[command.index("--prefix") + 1] = str(venv)
    subprocess.run(command, env={"PATH": os.environ["PATH"], **off}, check=True)
    assert list(venv.glob("lib/python*/site-packages/sample.py"))


def sample_wheel(folder: Path) -> Path:
    """Write a package of one empty module."""
    wheel = folder / "sample-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("sample.py", "")
        archive.writestr("sample-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1\n")
        archive.writestr("sample-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("sample-1.dist-info/RECORD", "")
    return wheel


@pytest.mark.integration
def test_the_command_works_in_a_folder_whose_name_no_first_line_can_hold(folder: Path, tmp_path: Path) -> None:
    odd = folder.rename(tmp_path / 'my "best" games; it\'s #1')
    # The interpreter may lie in such a folder too.
    python = tmp_path / "with blanks" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    made = make(".venv/.run", "PIP=:", f"PYTHON={python}", folder=odd)
    assert made.returncode == 0, made.stderr
    [packages] = (odd / ".venv").glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    link = tmp_path / "taptrade"
    link.symlink_to(odd / ".venv" / "bin" / "taptrade")
    for command in (odd / ".venv" / "bin" / "taptrade", link):
        told = subprocess.run([command, "version"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert told.startswith("taptrade ")


def test_the_quick_checks_leave_out_what_starts_processes() -> None:
    command = ["make", "-n", "-o", ".venv/.dev", "check"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for part in ("ruff format --check", "ruff check", "mypy", "pytest -q -m unit"):
        assert part in shown
    assert "bandit" not in shown
