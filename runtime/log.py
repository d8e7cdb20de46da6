"""Logging set-up: one JSON object a line on stderr, text on a terminal, with the request's id, and never a secret."""

from __future__ import annotations

import contextvars
import logging
import os
import re
import sys
import threading
from dataclasses import dataclass
from typing import Any, TextIO

import msgspec

from runtime.clock import rfc3339

REQUEST_ID: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""Id of the request that is being answered; each greenlet and thread has its own."""
FUNCTION: contextvars.ContextVar[str] = contextvars.ContextVar("function", default="")
"""Name of the function that runs, in the same way; `taptrade logs` finds its lines by it."""

JSON_ALWAYS = "LOG_JSON_ALWAYS"
"""Set by `taptrade serve --json`, for what the process becomes too: a terminal gets JSON as well."""
SAME_LINES_MAX = 10
SAME_WITHIN_S = 60.0

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
        return msgspec.json.encode(self._fields(record), enc_hook=str).decode()

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        line: dict[str, Any] = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        within = {"request_id": REQUEST_ID.get(), "function": FUNCTION.get()}
        line |= {name: known for name, known in within.items() if known}
        for name, value in getattr(record, "fields", {}).items():
            line[name] = HIDDEN if _is_secret(name) else redact(value) if isinstance(value, str) else value
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return line


class TextLines(JsonLines):
    """Format the same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Build the text."""
        line = self._fields(record)
        time, level, process, _, message = (
            line.pop(name) for name in ("time", "level", "process", "logger", "message")
        )
        traceback = line.pop("traceback", "")
        more = "".join(f" {name}={value}" for name, value in line.items())
        return f"{time} {level} {process}: {message}{more}" + (f"\n{traceback}" if traceback else "")


class Sparing(logging.Filter):
    """Let the same trouble through a few times a minute; the next line of it says how many were left out.

    The same is what was logged at one line of the code about an error that was raised at one line. There are as many
    of these as the code has, whatever a caller sends.
    """

    def __init__(self) -> None:
        super().__init__()
        self._met: dict[tuple[object, ...], _Met] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is written."""
        if record.levelno < logging.WARNING:
            return True
        met = self._met.setdefault(_site(record), _Met(record.created))
        if not 0 <= record.created - met.since_s < SAME_WITHIN_S:
            left_out, met.lines, met.since_s = met.lines - SAME_LINES_MAX, 0, record.created
            if left_out > 0:
                record.fields = {**getattr(record, "fields", {}), "left_out": left_out}
        met.lines += 1
        return met.lines <= SAME_LINES_MAX


@dataclass(slots=True)
class _Met:
    since_s: float
    lines: int = 0


def _site(record: logging.LogRecord) -> tuple[object, ...]:
    kind, _, traceback = record.exc_info or (None, None, None)
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    raised_at = None if traceback is None else (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
    return record.pathname, record.lineno, kind, raised_at


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
    patching = sys.modules.get("gevent.monkey")  # most processes run without it, and do not load it for this
    return patching.get_original("_thread", "RLock")() if patching else threading.RLock()


def configure(process: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every logger's records to `stream` (stderr), replacing what was set up before; a terminal gets text."""
    logging._lock = native_lock()  # type: ignore[attr-defined]  # noqa: SLF001  gevent has put its own there
    handler = Lines(stream or sys.stderr)
    is_for_people = handler.stream.isatty() and JSON_ALWAYS not in os.environ
    handler.setFormatter((TextLines if is_for_people else JsonLines)(process))
    handler.addFilter(Sparing())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in SECRET_NAMES)
