"""SQL lies in the .sql files of its rooms: every statement named, described and used, and none in Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from jobs.triggers.positions import POSITIONS
from jobs.upkeep.week_file import FILE
from runtime.audit.records import AUDIT
from runtime.game.ledger import SQL
from runtime.game.rows import ROWS
from runtime.game.statements import COLUMN_LISTS, MARK
from runtime.history.shelves import PAST
from runtime.personal.seal import PERSONAL
from runtime.postgresql.move import MOVING
from runtime.postgresql.schema import ADDING
from runtime.postgresql.translation import OWN
from runtime.records.queries import QUERIES
from runtime.storage.remake import REMAKE
from runtime.storage.ticks_store import TICKS
from runtime.webhooks.subscriptions import HOOKS
from taptrade.exported import EXPORTED
from taptrade.trial import TRIAL

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for tree in ("functions", "runtime", "jobs", "taptrade") for path in (ROOT / tree).rglob("*.py"))
# What somebody's own function asks stands in the one file that there is of it.
WITHOUT_SQL = [path for path in SOURCES if path.parent != ROOT / "functions"]
# What the code calls a file's statements -> the file, and the statements.
FILES: dict[str, tuple[str, dict[str, str]]] = {
    "SQL": ("runtime/game/ledger.sql", SQL),
    "ROWS": ("runtime/game/rows.sql", ROWS),
    "QUERIES": ("runtime/records/queries.sql", QUERIES),
    "AUDIT": ("runtime/audit/audit.sql", AUDIT),
    "TICKS": ("runtime/storage/ticks.sql", TICKS),
    "PAST": ("runtime/history/history.sql", PAST),
    "FILE": ("jobs/upkeep/week_file.sql", FILE),
    "POSITIONS": ("jobs/triggers/positions.sql", POSITIONS),
    "HOOKS": ("runtime/webhooks/webhooks.sql", HOOKS),
    "REMAKE": ("runtime/storage/remake.sql", REMAKE),
    "PERSONAL": ("runtime/personal/personal.sql", PERSONAL),
    "OWN": ("runtime/postgresql/statements.sql", OWN),
    "ADDING": ("runtime/postgresql/adding.sql", ADDING),
    "MOVING": ("runtime/postgresql/moving.sql", MOVING),
    "EXPORTED": ("taptrade/exported.sql", EXPORTED),
    "TRIAL": ("taptrade/trial.sql", TRIAL),
}
# Filled when a page is asked for, or once for each kind of record.
FILLED_LATER = {
    "conditions",
    "bets",
    "others",
    "which",
    "written",
    "stored",
    "table",
    "columns",
    "values",
    "key",
    "schema",
    "column",
    "number",
}
# A commit's own `write` looks a statement up by a name that it is given.
WRITERS = (ROOT / "runtime/game/ledger.py", ROOT / "runtime/postgresql/commit.py")
# The migrations' own table, and PRAGMAs.
SQL_IN_PYTHON = ("runtime/storage/migrate.py", "runtime/storage/schema.py")
LOOKS_LIKE_SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE FROM|WITH)\s|.*\b(FROM \w+ (WHERE|ORDER BY)|WHERE \w+ (=|<|>|IN)|ORDER BY \w)",
    re.DOTALL,
)


def docstrings(tree: ast.AST) -> set[int]:
    """Return the ids of the nodes that are docstrings or bare strings, which only people read."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def sql_in(source: str) -> list[str]:
    """Return the strings of a source that hold SQL."""
    tree = ast.parse(source)
    ignored = docstrings(tree)
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [str(node.value) for node in texts if id(node) not in ignored and LOOKS_LIKE_SQL.match(str(node.value))]


def is_write(called: ast.expr) -> bool:
    """Tell whether that is `commit.write` or `self.write`."""
    whose = called.value if isinstance(called, ast.Attribute) and called.attr == "write" else None
    return isinstance(whose, ast.Name) and whose.id in ("commit", "self")


def uses(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a source asks for by name: (what it calls the statements, the name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in FILES:
            yield node.value.id, node.slice
        # Commit.write runs a statement of the ledger by its name; what a file or an answer is written is bytes.
        if isinstance(node, ast.Call) and is_write(node.func):
            yield from (("SQL", name) for name in node.args[:1] if isinstance(name, ast.Constant))


@cache
def used_names() -> dict[str, set[str]]:
    """Return the names that the code asks for, by what it calls the statements."""
    found: dict[str, set[str]] = {called: set() for called in FILES}
    for path in SOURCES:
        for called, name in uses(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(name, ast.Constant):
                found[called].add(str(name.value))
            else:
                assert path in WRITERS, f"{path}: name the statement where it is used"
    return found


@pytest.mark.parametrize("called", FILES)
def test_every_name_that_is_asked_for_exists(called: str) -> None:
    assert sorted(used_names()[called] - FILES[called][1].keys()) == []


@pytest.mark.parametrize("called", FILES)
def test_every_statement_is_used_and_described(called: str) -> None:
    file, statements = FILES[called]
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.startswith("-- "), "say in the first line what the file is for"
    parts = text.split("-- name:")[1:]
    assert len(parts) == len(statements), "two statements have one name"
    built_on = {mark["name"] for mark in MARK.finditer(text)}
    for part in parts:
        name, described = (line.strip() for line in part.splitlines()[:2])
        assert re.match(r"-- [A-Z].*", described), f"{name}: say what it is for"
        assert name in used_names()[called] | built_on, f"nothing uses {name}"
        assert statements[name].strip(), f"{name} is empty"
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("called", FILES)
def test_no_mark_is_left_but_those_that_are_filled_later(called: str) -> None:
    left = {mark["name"] for sql in FILES[called][1].values() for mark in MARK.finditer(sql)}
    assert left <= FILLED_LATER
    # A statement of such a name would be filled in where something else is meant.
    assert not FILES[called][1].keys() & (left | COLUMN_LISTS.keys())


def test_every_file_of_statements_is_known() -> None:
    found = {
        str(path.relative_to(ROOT))
        for tree in ("functions", "runtime", "jobs", "taptrade")
        for path in (ROOT / tree).rglob("*.sql")
        if not path.parent.name.startswith("migrations")
    }
    assert found == {file for file, _ in FILES.values()}


@pytest.mark.parametrize("path", WITHOUT_SQL, ids=[str(path.relative_to(ROOT)) for path in WITHOUT_SQL])
def test_python_holds_no_sql(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    found = sql_in(path.read_text(encoding="utf-8"))
    if name in SQL_IN_PYTHON:
        assert found, f"{name} needs no exception"
    else:
        assert found == []
    assert "S608" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "source",
    [
        'execute("SELECT 1")',
        'X = f"""\n  WITH {a} AS (SELECT 1)"""',
        'X = f"{A} FROM bets WHERE seq = ?"',
        'execute("DELETE FROM bets")',
        'X = "INSERT INTO bets VALUES (?)"',
        'X = " WHERE id = ?"',
    ],
)
def test_sql_is_seen(source: str) -> None:
    assert sql_in(source)


def test_docstrings_and_routes_are_no_sql() -> None:
    assert (
        sql_in('"""SELECT what you like."""\nX = "DELETE /api/sessions"\nY = "Select an account from the list"') == []
    )
