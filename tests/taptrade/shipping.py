"""Litestream as a test needs it: what is committed by now is shipped, and it ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from taptrade import litestream


def ship(data: Path, url: str, endpoint: str = "") -> None:
    """Ship the databases once, those that are there."""
    config = data / "once.yml"
    config.write_bytes(litestream.configuration(data, url, endpoint, None, os.environ))
    words = [str(litestream.program()), "replicate", "-config", str(config), "-no-expand-env", "-once"]
    subprocess.run(words, check=True, capture_output=True, env=litestream.surroundings(os.environ))
