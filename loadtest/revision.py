"""Another revision of this project, to be measured beside this one: its files, with an environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.processes import BenchFailed

ROOT = Path(__file__).parents[1]
REVISIONS = ROOT / "build" / "revisions"
NOT_OURS = ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
"""What would lead another environment to this one."""
_VARIABLE = re.compile(r"^(TAPTRADE_\w+)=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Revision:
    """A build of the system that can be started."""

    name: str
    root: Path = ROOT
    python: str = sys.executable

    def command(self, *words: str) -> list[str]:
        """Return the command line of a command of its own."""
        return [self.python, "-I", "-m", "taptrade", *words]

    def variables(self) -> set[str]:
        """Return the names of the settings that it knows: an unknown one keeps it from starting."""
        return set(_VARIABLE.findall(_run(self.command("config"), self.root)))


HERE = Revision("here")
"""The files as they lie here, committed or not."""


def prepared(name: str) -> Revision:
    """Check a revision out below build/ and install it, unless a run before has done so; BenchFailed says why not."""
    commit = _run(["git", "rev-parse", "--verify", f"{name}^{{commit}}"], ROOT).strip()
    folder = REVISIONS / commit[:12]
    if not (folder / ".git").exists():
        # One whose folder was removed is still known, and would be refused.
        _run(["git", "worktree", "prune"], ROOT)
        _run(["git", "worktree", "add", "--detach", str(folder), commit], ROOT)
    _run(["make", ".venv/.run"], folder)
    return Revision(commit[:12], folder, str(folder / ".venv" / "bin" / "python"))


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=_clean(os.environ), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise BenchFailed(f"`{' '.join(command)}` in {folder}: {said[-1]}")
    return done.stdout


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if not name.startswith("TAPTRADE_")}
    return {name: value for name, value in kept.items() if name not in NOT_OURS}
