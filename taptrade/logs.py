"""`taptrade logs NAME`: the lines that a function has logged, wherever it ran; -f waits for more."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runtime.errors import TaptradeError
from runtime.function_files import files_of, functions_folder
from runtime.function_versions import in_service, take_up
from runtime.settings import load
from taptrade.log_lines import log_files, parsed
from taptrade.output import add_output

LOOK_EVERY_S = 0.2
LINES = 50
TROUBLE = ('"level":"ERROR"', '"traceback"', '"logger":"taptrade.dev_app"')
OF_FUNCTIONS = ("api", "functions")
"""The processes that run functions."""


class NothingLogged(TaptradeError):
    """There are no logs to look at."""


def main(argv: Sequence[str]) -> int:
    """Print what a function has logged: its own lines, and what the house says of its errors and time limits.

    The logs are those of the data folder; containers have theirs in `docker compose logs api functions`.
    """
    parser = argparse.ArgumentParser(prog="taptrade logs", description=main.__doc__)
    parser.add_argument("name", metavar="NAME", help="a function as `taptrade functions` names it, or its file")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("-n", "--lines", type=int, default=LINES, metavar="N", help="the last so many (%(default)s)")
    add_output(parser, "print the lines as they were logged, each a JSON object")
    given = parser.parse_args(argv)
    show: Callable[[str], None] = show_as_logged if given.json else show_to_people
    name = str(given.name)
    data = load().data
    take_up(data, in_service(data))
    if name.partition(".")[0] not in {file.stem for file in files_of(functions_folder())}:
        raise NothingLogged(f"there is no function {name}; `taptrade functions` lists them")
    folder = data / "logs"
    files = [file for file in log_files(folder) if file.name.partition(".")[0] in OF_FUNCTIONS]
    if not files:
        raise NothingLogged(
            f"there are no logs of a run in {folder}: those of containers are in `docker compose logs api functions`, "
            "those of units in the journal"
        )
    tails = [Tail(file) for file in files]
    lines = [line for tail in tails for line in tail.new_lines() if is_of(name, line)]
    for line in sorted(lines, key=_time)[-given.lines :]:
        show(line)
    if not lines:
        print(f"{name} has logged nothing; `taptrade functions {name}` tells whether it has run", file=sys.stderr)
    return _follow(name, [tail for tail in tails if tail.file.suffix == ".log"], show) if given.follow else 0


def _follow(name: str, tails: Sequence[Tail], show: Callable[[str], None]) -> int:
    while True:
        for tail in tails:
            for line in tail.new_lines():
                if is_of(name, line):
                    show(line)
        time.sleep(LOOK_EVERY_S)


class Tail:
    """One log file, and how far it was read; one that was turned over is read from its begin."""

    def __init__(self, file: Path, *, from_end: bool = False) -> None:
        self.file = file
        self._read = file.stat().st_size if from_end and file.exists() else 0

    def new_lines(self) -> Iterator[str]:
        """Yield the whole lines that have come."""
        try:
            size = self.file.stat().st_size
            self._read = 0 if size < self._read else self._read
            with self.file.open("rb") as log:
                log.seek(self._read)
                whole, newline, _ = log.read(size - self._read).rpartition(b"\n")
        except FileNotFoundError:  # it is being turned over
            return
        self._read += len(whole + newline)
        yield from whole.decode(errors="replace").splitlines()


def is_of(name: str, line: str) -> bool:
    """Tell whether a function logged a line, or one of its file where only that is named."""
    if f'"function":"{name}' not in line:
        return False
    function = _fields(line).get("function", "")
    return function == name or function.startswith(f"{name}.")


def tells_of_trouble(line: str) -> bool:
    """Tell whether a line of a log is for a developer at once: an error, or what came of a change."""
    return line.startswith("{") and any(mark in line for mark in TROUBLE)


def show_as_logged(line: str) -> None:
    """Print a line for programs."""
    print(line, flush=True)


def show_to_people(line: str) -> None:
    """Print a line for people, with its traceback."""
    fields = _fields(line)
    whose = fields.pop("function", "") or fields.get("process", "")
    seen = parsed(json.dumps(fields), Path("functions.log"))
    print(f"{fields.get('time', '')} {whose}: {seen.text}", flush=True)
    traceback = fields.get("traceback", "").rstrip()
    if traceback:
        print("    " + traceback.replace("\n", "\n    "), flush=True)


def _time(line: str) -> str:
    return _fields(line).get("time", "")


def _fields(line: str) -> dict[str, str]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}
