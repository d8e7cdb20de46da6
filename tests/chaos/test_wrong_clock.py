"""The stepped clock reaches a process that takes nothing from its environment's Python settings."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tests.chaos import wrong_clock
from tests.interpreter import preferring

TELL = "import time; print(time.time(), time.time_ns())"


def test_a_process_lives_by_the_offset_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    python = preferring(wrong_clock.SHIM, tmp_path / "python")
    environment = os.environ | wrong_clock.variables() | {"STEPPED_CLOCK_FILE": str(file)}
    for offset_s in (0, -1000):
        file.write_text(str(offset_s))
        command = [python, "-I", "-c", TELL]
        told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
        assert abs(float(told[0]) - time.time() - offset_s) < 60
        assert abs(int(told[1]) / 1e9 - time.time() - offset_s) < 60
