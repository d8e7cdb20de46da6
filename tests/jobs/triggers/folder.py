"""A folder of functions of a test's own, and the process `functions` over it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taptrade.processes import command
from tests.interpreter import preferring

HEAD = '"""A file."""\n\nfrom __future__ import annotations\n\nfrom runtime.triggers import *\n\n\n'


class Folder:
    """Functions that a process finds instead of ours."""

    def __init__(self, root: Path, redis_url: str) -> None:
        self.path = root / "functions"
        self.data = root / "data"
        self.path.mkdir(parents=True)
        (self.path / "__init__.py").write_text('"""Functions."""\n')
        self._python = preferring(root, root / "python")
        self._variables = {"TAPTRADE_DATA": str(self.data), "TAPTRADE_REDIS_URL": redis_url}

    def write(self, name: str, source: str) -> None:
        """Write a function."""
        (self.path / f"{name}.py").write_text(HEAD + source)

    def remove(self, name: str) -> None:
        """Take a function away."""
        (self.path / f"{name}.py").unlink()
        shutil.rmtree(self.path / "__pycache__", ignore_errors=True)

    @contextmanager
    def serving(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process over the folder."""
        self.data.mkdir(exist_ok=True)
        with (self.data / f"{name}.log").open("ab") as log:
            words = command(name, python=self._python)
            process = subprocess.Popen(words, env=os.environ | self._variables, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(15)
