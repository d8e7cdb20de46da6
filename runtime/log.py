"""Logging set-up: one JSON object a line on stderr, with the request's id, and never a secret."""

from __future__ import annotations

import contextvars
import logging
import re
import sys
from typing import Any, TextIO

import msgspec
from gevent import monkey

from runtime.clock import rfc3339

REQUEST_ID: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""Id of the request that is being answered; each greenlet and thread has its own."""

HIDDEN = "***"
SECRET_NAMES = ("authorization", "cookie", "signature", "token", "secret", "password", "private_key")
# The forms in which a secret could slip into a sentence or a traceback.
SECRET_TEXTS = re.compile(
    r"""(?ix)
      (?P<bearer> bearer\s+ ) [^\s"',;]+
    | (?P<named> ["']? (?: authorization | (?:set-)?cookie | taptrade_session | signature | token | secret
                         | password | private_key ) ["']? \s* [:=] \s* ["']? ) (?!bearer\b) [^\s"',;&}]+
    | (?P<url> ://[^\s:/@]* : ) [^\s@/]+ (?= @ )
    | \b0x[0-9a-f]{64,}\b
    | (?<![\w-]) (?= [\w-]* (?-i:[A-Z]) ) [\w-]{43} (?![\w-])  # a session token, wherever it was sent by mistake
    """
)


def redact(text: str) -> str:
    """Replace what looks like a secret by stars."""
    return SECRET_TEXTS.sub(lambda found: (found["bearer"] or found["named"] or found["url"] or "") + HIDDEN, text)


class JsonLines(logging.Formatter):
    """Format a record as one line of JSON; `extra={"fields": {...}}` adds fields of its own."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Build the line."""
        line: dict[str, Any] = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        request_id = REQUEST_ID.get()
        if request_id:
            line["request_id"] = request_id
        for name, value in getattr(record, "fields", {}).items():
            line[name] = HIDDEN if _is_secret(name) else redact(value) if isinstance(value, str) else value
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=str).decode()


class Lines(logging.StreamHandler[TextIO]):
    """Write lines under a lock of the operating system's."""

    def createLock(self) -> None:  # noqa: N802  named by the standard library
        """Make the lock."""
        self.lock = native_lock()


def native_lock() -> Any:
    """Return a lock that threads and greenlets can share.

    Database reads run and log in native threads. gevent's patched lock loses wake-ups between those and greenlets, and
    whoever waits then waits for ever. No greenlet gives way while it logs, so a plain lock is only held for moments.
    """
    return monkey.get_original("_thread", "RLock")()


def configure(process: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every logger's records to `stream` (stderr), replacing what was set up before."""
    logging._lock = native_lock()  # type: ignore[attr-defined]  # noqa: SLF001  gevent has put its own there
    handler = Lines(stream or sys.stderr)
    handler.setFormatter(JsonLines(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in SECRET_NAMES)
