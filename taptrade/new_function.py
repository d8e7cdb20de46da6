"""`taptrade new NAME`: a function and its test, ready to run, with nothing to edit elsewhere."""

from __future__ import annotations

import argparse
import keyword
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.errors import TaptradeError
from runtime.function_files import DeclarationError, functions_folder
from runtime.triggers.declaration import QUEUE_NAME, cron, every, on_event
from taptrade.output import add_output, print_json
from taptrade.scaffolds import CRON, EVENT, EVERY, HTTP, QUEUE, Scaffold

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
TABLES = "tests.docs.tables"


class NotMade(TaptradeError):
    """The files cannot be made; nothing was written."""


def main(argv: Sequence[str]) -> int:
    """Write functions/NAME.py and tests/functions/test_NAME.py, and bring the documents' tables up to date."""
    parser = argparse.ArgumentParser(prog="taptrade new", description=main.__doc__)
    parser.add_argument("name", metavar="NAME", help="small letters, digits and underscores: the file's name")
    kinds = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--http", nargs="?", const="", metavar="ROUTE", help="an endpoint: GET /api/NAME, or ROUTE")
    kinds.add_argument("--every", nargs="?", const="1 min", metavar="SPAN", help="again and again: '10 s', '5 min'")
    kinds.add_argument("--cron", nargs="?", const="0 3 * * *", metavar="TIMES", help="at times of the calendar, UTC")
    kinds.add_argument("--event", nargs="?", const="bet.won", metavar="EVENT", help="on an event: bet.won, column, ...")
    kinds.add_argument("--queue", nargs="?", const="", metavar="QUEUE", help="for each message of a queue")
    add_output(parser)
    given = parser.parse_args(argv)
    try:
        scaffold, value = _chosen(given)
    except DeclarationError as ex:
        raise NotMade(str(ex)) from ex
    root = functions_folder().parent
    function, test = root / "functions" / f"{given.name}.py", root / "tests" / "functions" / f"test_{given.name}.py"
    _refuse(given.name, function, test)
    for file, text in ((function, scaffold.function), (test, scaffold.test)):
        file.write_text(_filled(text, given.name, value), encoding="utf-8")
    fault = _write_tables(root)
    data = f" --data '{_filled(scaffold.data, given.name, value)}'" if scaffold.data else ""
    written, first = [file.relative_to(root) for file in (function, test)], f"taptrade invoke {given.name}{data}"
    if given.json:
        print_json({"name": given.name, "written": written, "tables": not fault, "fault": fault, "try": first})
        return 0
    for path in written:
        print(f"wrote {path}")
    print(f"the documents' tables could not be written: {fault}" if fault else "wrote the tables of the documents")
    print(f"try it: {first}; pytest {written[1]}; make dev")
    return 0


def _chosen(given: argparse.Namespace) -> tuple[Scaffold, str]:
    """Return the scaffold and what fills it; a span, a time or an event that is none is refused by the decorator."""
    if given.http is not None:
        return HTTP, given.http or f"/api/{given.name.replace('_', '-')}"
    if given.every is not None:
        every(given.every)
        return EVERY, given.every
    if given.cron is not None:
        cron(given.cron)
        return CRON, given.cron
    if given.event is not None:
        on_event(given.event)
        return EVENT, given.event
    queue = given.queue or given.name
    if QUEUE_NAME.fullmatch(queue) is None:
        raise NotMade(f"{queue!r} is no name for a queue: small letters, digits, `_`, `.` and `-`")
    return QUEUE, queue


def _refuse(name: str, *files: Path) -> None:
    if NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise NotMade(f"{name!r} is no name for a function: small letters, digits and underscores, no word of Python's")
    for file in files:
        if file.exists():
            raise NotMade(f"{file} is there already")
        if not file.parent.is_dir():
            raise NotMade(f"there is no folder {file.parent}: functions are made in a checkout, where their tests lie")


def _filled(text: str, name: str, value: str) -> str:
    words = {"NAME": name, "CLASS": "".join(part.capitalize() for part in name.split("_")), "VALUE": value}
    return re.sub(r"\b(NAME|CLASS|VALUE)\b", lambda found: words[found[1]], text).lstrip("\n")


def _write_tables(root: Path) -> str:
    """Let the tables of the documents tell of it, as they do of all that is declared; return why they could not."""
    done = subprocess.run([sys.executable, "-m", TABLES], cwd=root, capture_output=True, text=True, check=False)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
