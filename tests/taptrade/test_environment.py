"""No variable that configures a library reaches it: each that the installed ones read is known, and ours are spared."""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from runtime.settings_table import TABLE
from taptrade import cli, environment
from taptrade.processes import module
from tests.sources import ROOT

LOCKED = re.findall(
    r"^([a-z0-9][a-z0-9._-]*)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE
)
READ = (
    re.compile(r"""\bos\.(?:environ(?:\.get|\.pop|\.setdefault)?|getenv)\s*[\[(]\s*['"](\w+)['"]"""),
    re.compile(r"""['"]([A-Za-z_]\w*)['"]\s+(?:not\s+)?in\s+os\.environ\b"""),
    re.compile(r"""\b(?:envvar|environment_key)\s*=\s*['"](\w+)['"]"""),
)
# Parts of packages that no process of ours imports.
NOT_RUN = re.compile(
    r"(^|/)(tests?|testing|bench|dirty|docs|examples|f2py|distutils|_build_utils)/|/scripts/|(^|/)(setup|conftest|test_\w+)\.py$"
)
LEFT = (
    "SUPERVISOR_*",  # supervisord sets them for each process, and nothing of ours reads them
    *("HOME", "PATH", "PWD", "TZ", "XDG_*"),
    *("TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_*", "UNICODE_VERSION", "PAGER", "LESS"),
    *("COMP_*", "JUPYTER_*", "DATABRICKS_RUNTIME_VERSION"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    "NOTIFY_SOCKET",  # where systemd listens: processes of ours take it before gunicorn could (runtime/systemd.py)
    "AWS_*",  # who may write the bucket of archives
    *("DISPLAY", "WAYLAND_DISPLAY"),
)
"""What libraries read too and may: where people and programs of the machine are, and what their terminal can."""
ELSEWHERE = {
    "COMSPEC",
    "FOO",
    "YOURAPPLICATION_SETTINGS",
    "LOCALAPPDATA",
    "WINDIR",
    "_MPLHIDEEXECUTABLES",
    "PROCESSOR_ARCHITECTURE",
    "PROCESSOR_ARCHITEW6432",
}
"""What is read on other systems only, and what a docstring gives as an example."""


def read_by(package: str) -> set[str]:
    """Return the names of the variables that a package's sources read."""
    try:
        files = metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        return set()  # for another system or Python
    found: set[str] = set()
    for file in files:
        if file.suffix == ".py" and not NOT_RUN.search(str(file)):
            text = Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")
            found |= {name for pattern in READ for name in pattern.findall(text)}
    return found


def test_what_libraries_read_is_left_out_or_left_for_a_reason() -> None:
    read = {name for package in LOCKED for name in read_by(package)}
    assert read >= {"WEB_CONCURRENCY", "RQ_KEY_PREFIX", "FLASK_DEBUG", "ETH_HASH_BACKEND", "GEVENT_BACKEND"}
    left = {name for name in read if any(fnmatch.fnmatchcase(name, pattern) for pattern in LEFT)}
    assert sorted(name for name in read - left - ELSEWHERE if not environment.is_foreign(name)) == []


def test_no_setting_of_ours_is_left_out() -> None:
    assert not [row.variable for row in TABLE if environment.is_foreign(row.variable)]


def test_foreign_variables_go_and_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"HOME": "/", "TAPTRADE_PORT": "1", "LANG": "C", "STRIPE_KEY": "x", "HTTPS_PROXY": "http://p"}
    theirs = {"PYTHONPATH": "/x", "GUNICORN_CMD_ARGS": "-b :1", "WEB_CONCURRENCY": "9", "REDIS_URL": "redis://x"}
    environ = ours | theirs
    environment.leave_out_foreign(environ)
    assert environ == ours
    seen: list[str] = []

    def run(*_: object) -> int:
        seen.extend(os.environ)
        return 0

    monkeypatch.setattr(cli, "run", run)
    monkeypatch.setenv("RQ_KEY_PREFIX", "another")
    assert cli.main(["version"]) == 0
    assert "RQ_KEY_PREFIX" not in seen


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONSTARTUP"])
def test_pythons_own_variables_change_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "__init__.py").write_text("raise SystemExit('another runtime')\n")
    value = {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"}.get(name, str(tmp_path))
    done = subprocess.run(
        module("taptrade", "version"), cwd=tmp_path, env={name: value}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("taptrade ")
