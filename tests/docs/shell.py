"""Read shell blocks out of documents and run them as they stand, in one bash."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.function_settings import outside

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
MARK = "----- end of block -----"


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {heading}"
    return found[1]


def blocks(text: str, language: str = "sh") -> list[str]:
    """Return the fenced blocks of a language."""
    return [block["code"] for block in FENCE.finditer(text) if block["language"] == language]


def run(commands: list[str], folder: Path, environment: dict[str, str], timeout_s: float = 90) -> list[str]:
    """Run blocks in one bash that stops at the first failure; return what each of them printed.

    `folder` becomes a project folder as a person has it: `.venv` in it, and nothing of ours to write into.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to(sys.prefix)
    script = "set -euo pipefail\n" + "".join(f"{block}\nprintf '\\n%s\\n' '{MARK}'\n" for block in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=outside() | environment | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return [part.strip() for part in done.stdout.split(MARK)[:-1]]
