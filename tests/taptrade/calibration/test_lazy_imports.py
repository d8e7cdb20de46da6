"""The libraries of calibration stay out of the processes that run."""

from __future__ import annotations

import subprocess
import sys

from taptrade.cli import COMMANDS

HEAVY = ("numpy", "scipy", "sklearn", "matplotlib")
OURS = [command.target.split(":")[0] for command in COMMANDS.values() if command.name != "calibrate"]
RUNNING = [
    "runtime.wiring",
    "jobs.writer.main",
    "jobs.feed.main",
    "jobs.settlement.settler",
    "taptrade.gunicorn_settings",
]


def test_no_other_command_or_process_imports_them() -> None:
    code = f"""
import importlib, sys
for name in {sorted({*OURS, *RUNNING})!r}:
    importlib.import_module(name)
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "[]"
