"""Node with the locked packages of this folder, as `make build/node/.installed` lays them out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / "build" / "node"


def is_installed() -> bool:
    """Tell whether there are node and the packages."""
    return shutil.which("node") is not None and (INSTALLED / "node_modules").is_dir()


class Node:
    """Run scripts of this folder, and the tools of its packages, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("node") is None:
            pytest.skip("LEFT OUT: there is no node on this machine, so no JavaScript client was made and none played")
        if not (INSTALLED / "node_modules").is_dir():
            pytest.skip("LEFT OUT: `make build/node/.installed` brings what JavaScript clients are made with")
        self.folder = folder
        (folder / "node_modules").symlink_to(INSTALLED / "node_modules")
        for name in ("package.json", "tsconfig.json", "place_bet.mjs", "sign_in.mjs"):
            shutil.copy(HERE / name, folder)

    def tool(self, name: str, *arguments: str) -> str:
        """Run a tool of the packages; return what it prints."""
        return self._run(str(self.folder / "node_modules" / ".bin" / name), *arguments)

    def script(self, name: str, *arguments: str) -> list[str]:
        """Run a script; return the lines that it prints."""
        return self._run("node", name, *arguments).splitlines()

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout
