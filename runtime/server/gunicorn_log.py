"""gunicorn's own log in the form of ours: lines of JSON without secrets, text on a terminal."""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.glogging import Logger

from runtime.log import JsonLines


class GunicornLog(Logger):  # type: ignore[misc]
    """Write what gunicorn says of itself; named by `logger_class` in its settings."""

    def setup(self, cfg: Any) -> None:
        """Set the log up, also anew."""
        super().setup(cfg)
        if not sys.stderr.isatty():
            for handler in self.error_log.handlers:
                handler.setFormatter(JsonLines("api"))
