"""No dead files: every module is reached from where something starts, and every other file is named by a source."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.sources import ROOT, Trees, imports, modules, prefixes_of, words

TREES = ("functions", "runtime", "jobs", "taptrade", "loadtest", "release", "examples")
MODULES = modules(TREES)
# The broken samples cannot be parsed; tests/runtime/web/test_discovery.py holds that each has its test.
TESTS = {one: path for one, path in modules(("tests",)).items() if ".broken." not in one}
ALL = MODULES | TESTS
PARSED = Trees(ALL)
OTHERS = (".sql", ".lua", ".html", ".gz", ".zst", ".conf")

# Folder of functions -> the module that has it discovered.
DISCOVERED = {
    "functions": "runtime.wiring",
    "jobs.settlement": "jobs.rq.schedule",
    "jobs.upkeep": "jobs.rq.schedule",
    "tests.sample_functions.good": "tests.runtime.web.sample_app",
}
# Every file of these is applied, in the order of their names.
ALL_OF_FOLDER = ("migrations", "migrations_house", "migrations_ticks", "migrations_functions")
# Python imports it by itself: what puts its folder on the path starts it.
BY_PYTHON = {"tests.chaos.stepped.sitecustomize": "tests.chaos.wrong_clock"}

DOTTED = re.compile(rf"\b(?:{'|'.join((*TREES, 'tests'))})(?:\.\w+)+")
RUN = re.compile(r"(?:-[mfI] |\bpython3? |/pytest )([a-z][\w./]+)")
# Started as scripts, its files import what lies beside them by its name alone.
SCRIPTS = "examples"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the module that a dotted name lies in: itself, or the longest part of it that is one."""
    return next((one for one in reversed(list(prefixes_of(name))) if one in known), None)


def started(command: str) -> Iterator[str]:
    """Return the modules that command lines start: `-m module`, `python [-I] file.py`, or locust's `-f file.py`."""
    for found in RUN.findall(command):
        name = found.removesuffix(".py").replace("/", ".")
        yield from (one for one in (name, f"{name}.__main__") if one in ALL)


def named(tree: ast.AST, module: str) -> Iterator[str]:
    """Return the modules that a source names in its strings: dotted, started by `-m`, or as a file beside it."""
    texts = list(words(tree))
    for text in texts:
        yield from (one for name in DOTTED.findall(text) if (one := nearest(name, ALL)))
        if re.fullmatch(r"\w+\.py", text):
            yield f"{module.rpartition('.')[0]}.{text.removesuffix('.py')}"
    yield from started(" ".join(texts))


@cache
def arrows(module: str) -> frozenset[str]:
    """Return the modules that one leads to."""
    names = {*imports(PARSED[module], module), *named(PARSED[module], module)}
    if module.startswith(f"{SCRIPTS}."):
        names |= {f"{SCRIPTS}.{one}" for one in names}
    folders = [folder for folder, by in DISCOVERED.items() if by == module]
    names |= {one for one in ALL for folder in folders if one.rpartition(".")[0] == folder}
    names |= {one for one, by in BY_PYTHON.items() if by == module}
    return frozenset(one for name in names for one in prefixes_of(name) if one in ALL)


def reach(start: Iterable[str]) -> set[str]:
    """Return the start and all that it leads to."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        if (module := waiting.pop()) not in found:
            found.add(module)
            waiting.extend(arrows(module))
    return found


def entries() -> set[str]:
    """Return where people and machines start something of ours."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = {target.partition(":")[0] for target in project["project"]["scripts"].values()}
    places = [ROOT / name for name in ("Makefile", "Dockerfile", "compose.yaml", ".ci/run")]
    for path in (*places, *(ROOT / "docs").rglob("*.md")):
        found |= set(started(path.read_text(encoding="utf-8")))
    return found


def is_named(path: Path, texts: set[str]) -> bool:
    """Tell whether texts name a file: whole, by its stem where code adds the suffix, or as one of a folder's."""
    if path.parent.name in ALL_OF_FOLDER:
        return path.parent.name in texts
    whole = re.compile(rf"(?<![\w-]){re.escape(path.name)}(?![\w-])")
    return {path.stem, path.suffix} <= texts or any(whole.search(text) for text in texts)


def is_of_its_module(path: Path) -> bool:
    """Tell whether the module of the same name beside a file reads it, as `with_suffix` does."""
    module = path.with_suffix(".py")
    return module.is_file() and path.suffix in words(ast.parse(module.read_text(encoding="utf-8")))


def dead(known: Iterable[str], start: Iterable[str]) -> list[str]:
    """Return the modules that hold something and are not reached."""
    reached = reach(start)
    return sorted(one for one in known if one not in reached and ALL[one].read_text(encoding="utf-8").strip())


def test_every_other_file_is_named() -> None:
    texts = {word for module in MODULES for word in words(PARSED[module])}
    texts |= {path.read_text(encoding="utf-8") for path in (ROOT / "compose.yaml", ROOT / "nginx" / "nginx.conf")}
    files = [path for tree in (*TREES, "nginx") for path in (ROOT / tree).rglob("*") if path.suffix in OTHERS]
    assert {path.suffix for path in files} >= {".sql", ".lua", ".gz", ".conf"}
    nameless = [path for path in sorted(files) if not is_named(path, texts) and not is_of_its_module(path)]
    assert [str(path.relative_to(ROOT)) for path in nameless] == []


def test_a_file_is_its_module_s_only_where_it_is_read(tmp_path: Path) -> None:
    module, file = tmp_path / "fill.py", tmp_path / "fill.sql"
    assert not is_of_its_module(file)
    module.write_text('"""Reads .sql."""\nTEXT = 1\n')
    assert not is_of_its_module(file)
    module.write_text('TEXT = Path(__file__).with_suffix(".sql").read_text()\n')
    assert is_of_its_module(file)


def test_what_is_started_otherwise_is_there() -> None:
    assert {*DISCOVERED.values(), *BY_PYTHON, *BY_PYTHON.values()} <= set(ALL)
    assert all(any(one.startswith(f"{folder}.") for one in ALL) for folder in DISCOVERED)


def test_every_module_is_reached() -> None:
    assert dead(MODULES, entries() - set(TESTS)) == []


def test_every_file_of_the_tests_serves_a_test() -> None:
    collected = {one for one in TESTS if one.rpartition(".")[2].startswith("test_") or one.endswith("conftest")}
    assert dead(TESTS, collected | entries()) == []


def test_a_module_that_nothing_reaches_is_seen() -> None:
    assert dead(["runtime.clock", "taptrade.wallet"], ["runtime.log"]) == ["taptrade.wallet"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param('run("runtime.wiring:get_app()")', {"runtime.wiring"}, id="target of gunicorn"),
        pytest.param('serve("jobs.feed.main.late")', {"jobs.feed.main"}, id="function by its path"),
        pytest.param('start(["-m", "taptrade", "up"])', {"taptrade", "taptrade.__main__"}, id="started"),
        pytest.param('start("cli.py")', {"taptrade.cli"}, id="file beside it"),
        pytest.param('"""See runtime.wiring."""', set(), id="a docstring starts nothing"),
    ],
)
def test_a_string_that_names_a_module_reaches_it(source: str, found: set[str]) -> None:
    assert set(named(ast.parse(source), "taptrade.some")) == found


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        pytest.param("a/page.html", {"page.html"}, True, id="by name"),
        pytest.param("a/page.html", {"see mypage.html"}, False, id="another's name"),
        pytest.param("lua/claim.lua", {"claim", ".lua"}, True, id="by stem"),
        pytest.param("lua/gone.lua", {"lua", "claim", ".lua"}, False, id="not loaded"),
        pytest.param("migrations/0001_a.sql", {"migrations"}, True, id="of a folder"),
        pytest.param("migrations/0001_a.sql", {"0001_a.sql"}, False, id="of a folder that nobody applies"),
    ],
)
def test_a_file_is_named(name: str, texts: set[str], expected: bool) -> None:
    assert is_named(Path(name), texts) is expected
