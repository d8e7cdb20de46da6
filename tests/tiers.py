"""Tell the tier of a test by what it reaches: `unit`, `integration` (real processes), `acceptance` (the whole system).

Nothing is written per test. A test reaches what it and the functions of ours that it calls name: the module
`subprocess` or `socket`, or the class that runs the whole system; and what its fixtures start. A mark of its own goes
before that. A unit test is held to its tier: it starts no process and opens no connection.
"""

from __future__ import annotations

import inspect
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import pytest

from tests.acceptance.system import System
from tests.chaos.stage import Stage

TIERS = frozenset({"unit", "integration", "acceptance"})
ENGINES = frozenset({"engines", "sqlite"})
"""Marks that say which engines hold the ledger in a test: tests/conftest.py."""
PROCESSES = frozenset(
    {"redis_server", "postgres", "server", "impatient", "ours", "theirs", "hasty", "hasty_gunicorn", "edge"}
)
"""Fixtures that start a process, or bring one up by its name."""
LEAVES_THE_PROCESS = {
    *("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"),
    *("socket.connect", "socket.bind"),
}
"""What the interpreter tells its audit hooks of before it happens."""


def tier_of(function: Callable[..., object], fixtures: frozenset[str], marks: frozenset[str]) -> str:
    """Return the tier of a test."""
    marked = marks & TIERS
    if marked:
        [tier] = marked
        return tier
    found = _tier_by_reach(function)
    return "integration" if found == "unit" and fixtures & PROCESSES else found


@cache
def _tier_by_reach(function: Callable[..., object]) -> str:
    """Return the tier that the code of a test tells, which is the same for all of its cases."""
    reached = list(reach(function))
    if System in reached or Stage in reached:
        return "acceptance"
    return "integration" if any(one in reached for one in (subprocess, socket, os.fork)) else "unit"


def reach(function: Callable[..., object]) -> Iterator[object]:
    """Yield every global that a function names, in its annotations too, and what those that are ours name in turn."""
    waiting: list[Any] = [function]
    seen: set[int] = set()
    while waiting:
        one = inspect.unwrap(waiting.pop())
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, type) and _is_ours(one):
            waiting += [member for member in vars(one).values() if isinstance(member, FunctionType)]
        elif isinstance(one, FunctionType) and _is_ours(one):
            names = {*_names(one.__code__), *re.findall(r"\w+", " ".join(map(str, one.__annotations__.values())))}
            waiting += [found for name in names for found in _meant(one, name)]


def _is_ours(one: Any) -> bool:
    return str(one.__module__).partition(".")[0] == "tests"


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _meant(function: FunctionType, name: str) -> Iterator[object]:
    found = function.__globals__.get(name)
    if found is not None:
        yield found
    # `os.fork()` names the module and the function apart.
    if name == "fork":
        yield os.fork


_left: list[str] | None = None


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _left is not None and event in LEAVES_THE_PROCESS and threading.current_thread() is threading.main_thread():
        _left.append(f"{event} {arguments!r}")


sys.addaudithook(_watch)


@contextmanager
def within_the_process() -> Iterator[None]:
    """Fail at the end of the block if a process was started in it, or a connection opened."""
    global _left  # noqa: PLW0603
    left: list[str] = []
    outer, _left = _left, left
    try:
        yield
    finally:
        _left = outer
    assert left == [], "a unit test left its process; mark it integration"


def give_tiers(items: list[pytest.Item]) -> None:
    """Mark every test with its tier."""
    for item in items:
        if isinstance(item, pytest.Function):
            marks = frozenset(mark.name for mark in item.iter_markers())
            tier = tier_of(item.function, frozenset(item.fixturenames), marks)
            item.add_marker(tier)
