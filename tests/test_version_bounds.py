"""Version bounds: a package whose private parts the sources use stays below a version that nobody has read."""

from __future__ import annotations

import ast
import inspect
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from types import FunctionType, ModuleType

import pytest
from packaging.requirements import Requirement

from tests.declarations import foreign_bases, loaded
from tests.sources import ROOT, Trees, dotted, imports, modules, names_of

OURS = ("functions", "runtime", "jobs", "taptrade", "loadtest", "release", "tests")
TREES = Trees(modules(("functions", "runtime", "jobs", "taptrade")))
# Not private by its name, yet no interface that its authors promise -> what is used of it.
UNPROMISED = {
    "gunicorn": "the parser, the response, the worker and its master, which are documented as settings only",
    "rq": "a job's hash and the queues' keys, which Lua writes",
    "rq_dashboard": "its routes, each of which looks or changes something",
    "rq_scheduler": "the loop and its lock",
    "supervisor": "supervisord started as an object, with its options and medusa's signals",
}
OF_PYTHON = {name for one in (object, type, FunctionType, ModuleType) for name in dir(one)} | {"__file__", "__path__"}
UPPER = {"<", "<=", "==", "~="}


def is_private(name: str) -> bool:
    """Tell whether a name, dotted or not, has a part that its owner keeps to itself."""
    return any(part.startswith("_") and part not in OF_PYTHON for part in name.split("."))


def is_foreign(name: str) -> bool:
    """Tell whether a dotted name is neither ours nor Python's."""
    return name.partition(".")[0] not in (*OURS, *sys.stdlib_module_names)


def knows(base: str, name: str) -> bool:
    """Tell whether a class of others has a private name: declared, or given to its objects."""
    for one in inspect.getmro(loaded(base)):  # type: ignore[arg-type]
        is_theirs = one.__module__ != "builtins" and is_foreign(one.__module__)
        if is_theirs and (name in vars(one) or f"self.{name} " in source_of(one)):
            return True
    return False


@cache
def source_of(one: type) -> str:
    """Return the source of a class; nothing where it has none."""
    try:
        return inspect.getsource(one)
    except (OSError, TypeError):
        return ""


def private_uses(trees: Mapping[str, ast.Module], module: str) -> Iterator[str]:
    """Return the private names of others that a module imports, reaches for, overrides or inherits."""
    tree = trees[module]
    meant = names_of(tree, module)
    chains = {name for node in ast.walk(tree) if (name := dotted(node, meant)) and isinstance(node, ast.Attribute)}
    yield from (name for name in {*imports(tree, module), *chains} if is_foreign(name) and is_private(name))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = [base for base in foreign_bases(trees, module, node.name) if is_foreign(base)]
            yield from (f"{base}.{name}" for base in bases for name in own_names(node) if knows(base, name))


def own_names(node: ast.ClassDef) -> set[str]:
    """Return the private names that a class declares, or takes of itself."""
    found = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    owners = ("self", "cls", "super()")
    found |= {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and ast.unparse(one.value) in owners}
    return {name for name in found if is_private(name)}


def unbounded(tops: set[str], requirements: list[str]) -> list[str]:
    """Return the packages that the top modules come from and whose requirement has no upper bound."""
    asked = {one.name: one for one in map(Requirement, requirements)}
    packages = {package for top in tops for package in packages_distributions()[top]}
    return sorted(
        package
        for package in packages
        if package not in asked or not UPPER & {one.operator for one in asked[package].specifier}
    )


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["project"]["dependencies"])


def test_a_package_whose_private_parts_are_used_has_an_upper_bound() -> None:
    uses = {use for module in TREES for use in private_uses(TREES, module)}
    assert uses >= {"cysqlite._cysqlite", "redis._parsers.base.BaseParser", "peewee.__exception_wrapper__"}
    assert unbounded({use.partition(".")[0] for use in uses} | set(UNPROMISED), requirements()) == []


def test_what_is_unpromised_is_used() -> None:
    used = {name.partition(".")[0] for module in TREES for name in imports(TREES[module], module)}
    assert set(UNPROMISED) <= used


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        pytest.param("from redis._parsers import base", {"redis._parsers.base"}, id="private module"),
        pytest.param(
            "import peewee\npeewee.__exception_wrapper__", {"peewee.__exception_wrapper__"}, id="private name"
        ),
        pytest.param("import redis\nredis.Redis.__name__", set(), id="Python's own"),
        pytest.param("import logging\nlogging._lock", set(), id="of the standard library"),
        pytest.param(
            "from rq_scheduler import Scheduler\nclass Mine(Scheduler):\n    def _install_signal_handlers(self): ...",
            {"rq_scheduler.Scheduler._install_signal_handlers"},
            id="overridden",
        ),
        pytest.param(
            "from rq_scheduler import Scheduler\nclass Mine(Scheduler):\n    def go(self): return self._interval",
            {"rq_scheduler.Scheduler._interval"},
            id="inherited",
        ),
        pytest.param(
            "from rq_scheduler import Scheduler\nclass Mine(Scheduler):\n    def _own(self): return self._mine",
            set(),
            id="one's own",
        ),
    ],
)
def test_private_use_is_seen(source: str, uses: set[str]) -> None:
    assert set(private_uses({"jobs.sample": ast.parse(source)}, "jobs.sample")) == uses


def test_a_missing_bound_is_seen() -> None:
    lines = ["redis>=8", "peewee>=4,<5", "gunicorn[gevent]~=27.0"]
    assert unbounded({"redis", "playhouse", "gunicorn", "rq"}, lines) == ["redis", "rq"]
