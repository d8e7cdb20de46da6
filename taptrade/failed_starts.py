"""Which processes of a run end again and again instead of starting, and the last thing that each of them said."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

ENDS_MIN = 3
"""A process may end once or twice while what it needs comes up; who ends as often as this does not start."""
NEEDS_NOBODY = "redis"
"""This one needs nothing that could still come up: when it ends once, it does not start."""
TAIL_BYTES = 16_384
LINE_SHOWN = 300
LAST_LINES = 10
"""A server that cannot begin says a few things more after its error; what was logged before that is of another day."""
_REDIS_WARNING = re.compile(r"\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ # (.+)")
_ENDED = re.compile(r" exited: (?P<name>\w+) \((?!exit status 0\b|terminated by SIGTERM\b)(?P<by_itself>exit status)?")
"""Who ends with status 0, or by SIGTERM, was asked to: by a reload, or a deployment."""


class FailedStarts:
    """Follow the supervisor's log from where it ends now; `remedy` is said with Redis, which has files to lose."""

    def __init__(self, logs: Path, remedy: str) -> None:
        self._logs = logs
        self._remedy = remedy
        self._file = logs / "supervisord.log"
        self._read = self._size()
        self._ends: Counter[str] = Counter()
        self._by_itself: set[str] = set()
        self._told: set[str] = set()

    def failures(self) -> list[str]:
        """Return a sentence about each process that has not been told of yet."""
        for line in self._new_lines():
            ended = _ENDED.search(line)
            if ended:
                self._ends[ended["name"]] += 1
                self._by_itself |= {ended["name"]} if ended["by_itself"] else set()
        failing = [name for name in self._ends if self._is_failing(name) and name not in self._told]
        self._told.update(failing)
        return [self._sentence(name) for name in failing]

    def _is_failing(self, name: str) -> bool:
        return self._ends[name] >= ENDS_MIN or (name == NEEDS_NOBODY and name in self._by_itself)

    def _sentence(self, name: str) -> str:
        log, ends = self._logs / f"{name}.log", self._ends[name]
        times = "once" if ends == 1 else f"{ends} times"
        sentence = f"{name} does not start, it has ended {times}: {last_words(log)} (see {log})"
        return f"{sentence}; {self._remedy}" if name == NEEDS_NOBODY else sentence

    def _new_lines(self) -> list[str]:
        size = self._size()
        if size < self._read:
            self._read = 0  # the log was begun anew
        if size == self._read:
            return []
        with self._file.open("rb") as log:
            log.seek(self._read)
            whole, newline, _ = log.read(size - self._read).rpartition(b"\n")
        self._read += len(whole + newline)
        return whole.decode(errors="replace").splitlines()

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except FileNotFoundError:
            return 0


def last_words(log: Path) -> str:
    """Return the line of a process's log that says best why it ended: an exception, a warning, else the last."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return "it has written nothing"
    logged = [_json(line).get("traceback", "").strip().rpartition("\n")[2] for line in lines[-LAST_LINES:]]
    exception, within = next(filter(None, reversed(logged)), ""), False
    for line in lines:
        if line.startswith("Traceback "):
            within = True
        elif within and line and not line.startswith(" "):
            exception, within = line, False
    warnings = [found[1] for line in lines if (found := _REDIS_WARNING.match(line))]
    last = next((line for line in reversed(lines) if line.strip()), "it has written nothing")
    return (exception or (warnings[-1] if warnings else _message(last)))[:LINE_SHOWN]


def _message(line: str) -> str:
    """Return what a line of JSON says, or any other line as it is."""
    return _json(line).get("message", line.strip())


def _json(line: str) -> dict[str, str]:
    """Return the fields of a line of JSON as texts, none of any other line."""
    try:
        said = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}
    return {name: str(value) for name, value in said.items()} if isinstance(said, dict) else {}
