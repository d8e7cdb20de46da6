"""`taptrade new NAME`: a function and its test, ready to run, with nothing to edit elsewhere."""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runtime.errors import TaptradeError
from runtime.function_files import DeclarationError, DiscoveryError, functions_folder
from runtime.function_settings import file_of
from runtime.settings import load
from runtime.triggers.declaration import QUEUE_NAME, cron, every, on_event
from runtime.triggers.kinds import kinds_meant
from runtime.web.declaration import BODILESS, METHODS
from taptrade.output import add_output, print_json
from taptrade.scaffold_auth import AUTHS, Auth, with_auth
from taptrade.scaffold_settings import OwnSetting, own_settings, with_settings
from taptrade.scaffolds import BET, CRON, EVENT, EVERY, QUEUE, Scaffold
from taptrade.scaffolds_http import GET, POST

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
ROUTE = re.compile(r"(?:(?P<method>[A-Z]+) )?(?P<route>/[^ ]*[^ /])")
FIELD = re.compile(r"\{[^}]*\}")
TABLES = "tests.docs.tables"
TOOLS = ("pytest", "ruff")
TESTS_GIVEN = "tests/function_settings.toml"
NO_TOOLS = f"the tools for tests are not installed; run `make tools format` and then `.venv/bin/python -m {TABLES}`"
WORD = re.compile("NAME|CLASS|CODE|METHOD|VALUE|EVENTS|ASKED|KIND")


class Chosen(NamedTuple):
    """A scaffold, and what fills its words beside the name."""

    scaffold: Scaffold
    value: str
    method: str = ""
    kind: str = ""


class NotMade(TaptradeError):
    """The files cannot be made; nothing was written."""


def main(argv: Sequence[str]) -> int:
    """Write functions/NAME.py and tests/functions/test_NAME.py, and bring the documents' tables up to date."""
    parser = argparse.ArgumentParser(prog="taptrade new", description=main.__doc__)
    parser.add_argument("name", metavar="NAME", help="small letters, digits and underscores: the file's name")
    kinds = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument(
        "--http",
        nargs="?",
        const="",
        metavar="ROUTE",
        help="an endpoint: GET /api/NAME, or a route such as /api/hello or 'POST /api/hello', which takes a body",
    )
    kinds.add_argument("--every", nargs="?", const="1 min", metavar="SPAN", help="again and again: '10 s', '5 min'")
    kinds.add_argument("--cron", nargs="?", const="0 3 * * *", metavar="TIMES", help="at times of the calendar, UTC")
    kinds.add_argument(
        "--event",
        nargs="?",
        const="bet.won",
        action="append",
        metavar="EVENT",
        help="on an event: bet.won, column, ...; on several: bet.won,bet.lost, or the option again",
    )
    kinds.add_argument("--queue", nargs="?", const="", metavar="QUEUE", help="for each message of a queue")
    parser.add_argument("--auth", choices=AUTHS, help="who may call an endpoint; by default anybody: none")
    named: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument("--setting", metavar="NAME[=DEFAULT]", help="a setting of its own; may come again", **named)
    parser.add_argument("--secret", metavar="NAME", help="a secret of its own; may come again", **named)
    add_output(parser)
    given = parser.parse_args(argv)
    if given.auth and given.http is None:
        parser.error("--auth is of an endpoint: say --http too")
    try:
        chosen, own = _chosen(given), own_settings(given.setting, given.secret)
    except (DeclarationError, ValueError) as ex:
        raise NotMade(str(ex)) from ex
    root = functions_folder().parent
    function, test = root / "functions" / f"{given.name}.py", root / "tests" / "functions" / f"test_{given.name}.py"
    _refuse(given.name, function, test)
    scaffold = with_settings(chosen.scaffold, own)
    for file, text in ((function, scaffold.function), (test, scaffold.test)):
        file.write_text(_filled(text, given.name, chosen), encoding="utf-8")
    _take_back_if_refused(function, test)
    if has_tools():
        # A long name breaks lines that a short one does not.
        subprocess.run([sys.executable, "-m", "ruff", "format", "-q", function, test], cwd=root, check=False)
    written = [function, test, *_give_tests(root, given.name, own)]
    _tell(given, root, written, _first(given.name, scaffold, chosen, own), own)
    return 0


def _give_tests(root: Path, name: str, own: Sequence[OwnSetting]) -> list[Path]:
    """Let the houses that tests start have what the function needs, made up; return what was written."""
    file, needed = root / TESTS_GIVEN, [one for one in own if one.is_required]
    if not needed or f"[{name}]" in (file.read_text(encoding="utf-8") if file.exists() else "").splitlines():
        return []
    table = "".join(f"{one.name} = {one.tried}\n" for one in needed)
    with file.open("a", encoding="utf-8") as end:
        end.write(f"\n[{name}]\n{table}")
    return [file]


def _take_back_if_refused(function: Path, test: Path) -> None:
    """Delete both files and raise NotMade if the house would not start with them, as where the route is taken."""
    from runtime.triggers.discovery import triggers_in
    from runtime.web.discovery import discover

    try:
        discover(function.parent)
        triggers_in(function.parent)
    except DiscoveryError as ex:
        if function.name in str(ex):
            function.unlink()
            test.unlink()
            raise NotMade(f"{ex}; nothing was written") from ex


def has_tools() -> bool:
    """Tell whether the packages that format and test are installed: those of a run alone do without."""
    return all(importlib.util.find_spec(name) is not None for name in TOOLS)


def _first(name: str, scaffold: Scaffold, chosen: Chosen, own: Sequence[OwnSetting]) -> str:
    """Return the command that tries the function out."""
    data = f" --data '{_filled(scaffold.data, name, chosen)}'" if scaffold.data else ""
    fields = "".join(f" --set {field.strip('{}').partition(':')[0]}=1" for field in FIELD.findall(chosen.value))
    needed = "".join(f" --setting {one.name}=..." for one in own if one.is_required)
    return f"{_bin()}/taptrade invoke {name}{data}{fields}{needed}"


def _giving(name: str, needed: Sequence[str]) -> str:
    """Return the command that writes a function's settings down where nobody else can read them."""
    file = file_of(load())
    table = "\\n".join([f"[{name}]", *(f'{one} = "..."' for one in needed), ""])
    # A table that is there already is left as it is: TOML has each of them once.
    found = f"grep -qsxF '[{name}]' {_here(file)}"
    return f"{found} || (umask 077 && mkdir -p {_here(file.parent)} && printf '{table}' >>{_here(file)})"


def _bin() -> str:
    """Return where this Python's commands are, as a reader in the checkout writes it."""
    return _here(Path(sys.executable).parent)


def _here(path: Path) -> str:
    """Write a path as somebody does who stands in the checkout."""
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _tell(given: argparse.Namespace, root: Path, files: Sequence[Path], first: str, own: Sequence[OwnSetting]) -> None:
    fault, written = _write_tables(root), [file.relative_to(root) for file in files]
    needed = [one.name for one in own if one.is_required]
    if given.json:
        told = {"name": given.name, "written": written, "tables": not fault, "fault": fault, "try": first}
        print_json(told | {"needed": needed})
        return
    for path in written:
        print(f"wrote {path}")
    print(f"the documents' tables could not be written: {fault}" if fault else "wrote the tables of the documents")
    if needed:
        print(f"a house starts once it is given {', '.join(needed)}:\n  {_giving(given.name, needed)}")
    print(f"try it:\n  {first}\n  {_bin()}/python -m pytest -q {written[1]}\n  make dev")


def _chosen(given: argparse.Namespace) -> Chosen:
    """Return the scaffold and what fills it; a span, a time or an event that is none is refused by the decorator."""
    if given.http is not None:
        auth: Auth = given.auth or "none"
        folder = "/api/operate" if auth == "operator" else "/api"
        return _endpoint(given.http or f"{folder}/{given.name.replace('_', '-')}", auth)
    if given.every is not None:
        every(given.every)
        return Chosen(EVERY, given.every)
    if given.cron is not None:
        cron(given.cron)
        return Chosen(CRON, given.cron)
    if given.event is not None:
        events = [one for words in given.event for one in words.split(",")]
        on_event(*events)
        are_bets = all(one.partition(".")[0] == "bet" for one in events)
        return Chosen(BET if are_bets else EVENT, ", ".join(events), kind=min(kinds_meant(events)))
    queue = given.queue or given.name
    if QUEUE_NAME.fullmatch(queue) is None:
        raise NotMade(f"{queue!r} is no name for a queue: small letters, digits, `_`, `.` and `-`")
    return Chosen(QUEUE, queue)


def _endpoint(text: str, auth: Auth) -> Chosen:
    found = ROUTE.fullmatch(text)
    method = (found and found["method"]) or "GET"
    if found is None or method not in METHODS:
        raise NotMade(
            f"{text!r} is no route: /api/hello is one, and so is 'POST /api/hello' ({', '.join(sorted(METHODS))})"
        )
    scaffold = _with_fields(GET if method in BODILESS else POST, FIELD.findall(found["route"]))
    return Chosen(with_auth(scaffold, auth), found["route"], method)


def _with_fields(scaffold: Scaffold, fields: Sequence[str]) -> Scaffold:
    """Let a scaffold tell what the fields of its route are: `{count:int}` is a number, `{tip_id}` a text."""
    named = [field.strip("{}").partition(":") for field in fields]
    forms = ", ".join(
        f'"{name}": Annotated[{kind if kind in ("int", "float") else "str"}, msgspec.Meta(description="which {name}")]'
        for name, _, kind in named
    )
    told = f"    path={{{forms}}},\n" if forms else ""
    return scaffold._replace(function=scaffold.function.replace("    response=", f"{told}    response="))


def _refuse(name: str, *files: Path) -> None:
    if NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise NotMade(f"{name!r} is no name for a function: small letters, digits and underscores, no word of Python's")
    for file in files:
        if file.exists():
            raise NotMade(f"{file} is there already")
        if not file.parent.is_dir():
            raise NotMade(f"there is no folder {file.parent}: functions are made in a checkout, where their tests lie")


def _filled(text: str, name: str, chosen: Chosen) -> str:
    words = {
        "NAME": name,
        "CLASS": "".join(part.capitalize() for part in name.split("_")),
        "CODE": name.upper(),
        "METHOD": chosen.method,
        "VALUE": chosen.value,
        "EVENTS": chosen.value.replace(", ", '", "'),
        "ASKED": FIELD.sub("1", chosen.value),
        "KIND": chosen.kind,
    }
    return WORD.sub(lambda found: words[found[0]], text).lstrip("\n")


def _write_tables(root: Path) -> str:
    """Let the tables of the documents tell of it, as they do of all that is declared; return why they could not."""
    if not has_tools():
        return NO_TOOLS
    done = subprocess.run([sys.executable, "-m", TABLES], cwd=root, capture_output=True, text=True, check=False)
    said = done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
    return said.removeprefix(f"{DiscoveryError.__module__}.{DiscoveryError.__name__}: ")
