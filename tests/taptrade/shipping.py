"""Litestream as a test needs it: what is committed by now is shipped, and it ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

from taptrade import litestream


def ship(data: Path, url: str, endpoint: str = "") -> None:
    """Ship the databases once, those that are there."""
    config = data / "once.yml"
    settings = msgspec.json.decode(litestream.configuration(data, url, endpoint, None, os.environ))
    settings["dbs"] = [one for one in settings["dbs"] if Path(one["path"]).exists()]
    config.write_bytes(msgspec.json.encode(settings))
    words = [str(litestream.program()), "replicate", "-config", str(config), "-no-expand-env", "-once"]
    subprocess.run(words, check=True, capture_output=True, env=litestream.surroundings(os.environ))
