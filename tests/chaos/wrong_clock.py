"""A wall clock that steps back for every Python process of the system; Redis keeps its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.stage import Stage

STEP_S = 15
STEPPED_S = 6.0
SHIM = Path(__file__).with_name("stepped")
FILE = Path(tempfile.gettempdir()) / f"taptrade-chaos-clock-{os.getpid()}"


def variables() -> Mapping[str, str]:
    """Return the environment under which the processes live by the file's offset."""
    return {"STEPPED_CLOCK_FILE": str(FILE)}


def clock_back(stage: Stage) -> None:
    """Step the clock back for all processes, and forward again."""
    try:
        FILE.write_text(str(-STEP_S))
        stage.tell(f"the clock stepped back by {STEP_S} s")
        stage.pause(STEPPED_S)
    finally:
        FILE.unlink()
    stage.tell("the clock is right again")
