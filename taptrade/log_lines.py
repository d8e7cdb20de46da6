"""Lines of logs that are about something: JSON of ours and of nginx, and the text of Redis and others."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from runtime.log import redact

TEXT_MAX = 300
_OF_EVERY_LINE = frozenset({"time", "level", "process", "logger", "message", "traceback"})
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?:[A-Z]+ (?P<process>\w+): )?")
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})\] "), "%Y-%m-%d %H:%M:%S %z"),  # gunicorn
    (re.compile(r"\d+:[A-Z] (\d+ \w{3} \d{4} [\d:]{8}\.\d{3}) "), "%d %b %Y %H:%M:%S.%f"),  # Redis, which lives in UTC
    (re.compile(r"(\d{4}-\d\d-\d\d [\d:]{8},\d{3}) "), "%Y-%m-%d %H:%M:%S,%f"),  # supervisord
    (re.compile(r"(\d{4}/\d\d/\d\d [\d:]{8}) "), "%Y/%m/%d %H:%M:%S"),  # nginx
)
_LOCAL = (_FORMS[2][0], _FORMS[3][0])
"""Those who write the machine's own time, without saying which that is."""
_CONTAINER = re.compile(r"(?P<service>[\w.-]+?)(?:-\d+)? +\| ")
"""What `docker compose logs` puts before each line."""


class LogLine(msgspec.Struct, frozen=True):
    """One line: when it was written (None where it does not say), by which process, and what it says."""

    at_ms: int | None
    process: str
    text: str
    file: str


def lines_about(words: Sequence[str], files: Iterable[Path]) -> Iterator[LogLine]:
    """Yield the lines of files that hold one of the words as a whole; `-` is standard input.

    A file that is turned over meanwhile, or cannot be opened, is passed over: `OSError` is for the caller's own files.
    """
    held = b"|".join(re.escape(word.encode()) for word in words)
    pattern = re.compile(rb"(?<![A-Za-z0-9])(?:" + held + rb")(?![A-Za-z0-9])")
    for file in files:
        is_input = str(file) == "-"
        with open(sys.stdin.fileno() if is_input else file, "rb", closefd=not is_input) as log:
            for line in log:
                if pattern.search(line):
                    yield parsed(line.decode(errors="replace").rstrip("\n"), file)


def log_files(folder: Path) -> list[Path]:
    """Return the logs of a run, those that were turned over too, oldest first."""
    found = [path for path in folder.glob("*.log*") if path.is_file()]
    return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))


def parsed(line: str, file: Path) -> LogLine:
    """Read when a line was written, by whom, and what it says, without what looks like a secret."""
    process = file.name.partition(".")[0]
    container = _CONTAINER.match(line)
    if container:
        line, process = line[container.end() :], container["service"]
    if line.startswith("{"):
        try:
            fields = json.loads(line)
            if isinstance(fields, dict):
                return _of_json(fields, process, file)
        except ValueError:
            pass  # cut off, or text that begins like it
    at_ms, who, text = _of_text(line)
    return LogLine(at_ms, who or process, redact(text)[:TEXT_MAX], file.name)


def _of_json(fields: dict[str, Any], process: str, file: Path) -> LogLine:
    process = str(fields.get("process", process))
    try:
        at_ms = _ms(datetime.fromisoformat(str(fields.get("time"))))
    except ValueError:
        at_ms = None
    rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in _OF_EVERY_LINE and value != "")
    said = " ".join(filter(None, (str(fields.get("level", "")), str(fields.get("message", "")), rest)))
    traceback = str(fields.get("traceback", "")).strip().rpartition("\n")[2]
    text = f"{said}; {traceback}" if traceback else said
    return LogLine(at_ms, process, redact(text)[:TEXT_MAX], file.name)


def _of_text(line: str) -> tuple[int | None, str, str]:
    iso = _ISO.match(line)
    if iso:
        return _ms(datetime.fromisoformat(iso[1])), iso["process"] or "", line[iso.end() :]
    for pattern, form in _FORMS:
        found = pattern.match(line)
        if found:
            at = datetime.strptime(found[1], form)  # noqa: DTZ007  most forms name no zone
            zoned = at.astimezone() if pattern in _LOCAL else at if at.tzinfo else at.replace(tzinfo=UTC)
            return _ms(zoned), "", line[found.end() :]
    return None, "", line


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
