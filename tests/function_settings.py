"""The settings of functions for houses that tests start: those of tests/function_settings.toml."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")
VARIABLE = "TAPTRADE_FUNCTION_SETTINGS"


def lay_out() -> Path:
    """Write them to a file that its owner alone can read, as a house wants it, and name it to all that follows."""
    descriptor, name = tempfile.mkstemp(suffix=FILE.suffix)
    with os.fdopen(descriptor, "wb") as file:
        file.write(FILE.read_bytes())
    os.environ[VARIABLE] = name
    return Path(name)


def outside() -> dict[str, str]:
    """Return the environment without the settings of a house that may run here: what is left is that file's name."""
    return {name: value for name, value in os.environ.items() if name == VARIABLE or not name.startswith("TAPTRADE_")}
