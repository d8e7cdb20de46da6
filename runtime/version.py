"""Which build this is: `vX.Y.Z-build+sha`, the build being the number of commits up to it."""

from __future__ import annotations

import functools
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = "runtime/BUILD"
"""A file `{build} {sha}`, written where a wheel or an image is built without its history."""
GIT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Build:
    """One build of the project."""

    release: str
    number: str
    commit: str

    @property
    def version(self) -> str:
        """The version as it is shown."""
        return f"v{self.release}-{self.number}+{self.commit}"


@functools.cache
def build(root: Path = ROOT) -> Build:
    """Return the build in `root`: its stamp, else what git says, else 0+unknown."""
    try:
        release = metadata.version("taptrade")
    except metadata.PackageNotFoundError:
        release = "0.0.0"
    number, commit = _stamped(root) or _from_git(root) or ("0", "unknown")
    return Build(release, number, commit)


def python_version() -> str:
    """Return the interpreter's name and version."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def _stamped(root: Path) -> tuple[str, str] | None:
    try:
        number, commit = (root / STAMP).read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return number, commit


def _from_git(root: Path) -> tuple[str, str] | None:
    if not (root / ".git").exists():  # an environment within somebody's repository is not that repository
        return None
    number = _git(root, "rev-list", "--count", "HEAD")
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    return (number, commit) if number and commit else None


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
