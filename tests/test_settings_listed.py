"""Settings: none but the listed ones is spoken of anywhere, and each listed one is read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest

from runtime.settings import Settings
from runtime.settings_table import TABLE
from tests.sources import ROOT, modules

VARIABLE = re.compile(r"\bTAPTRADE_[A-Z0-9_]+")
KNOWN = {row.variable for row in TABLE}
# Spoken of, and no setting -> why.
OTHERS = {"TAPTRADE_" + "PROT": "a slip of the pen, which a test sees refused"}
FOLDERS = ("functions", "runtime", "jobs", "taptrade", "loadtest", "release", "tests", "docs", "nginx", ".ci")
SOURCES = modules(("functions", "runtime", "jobs", "taptrade", "loadtest", "release"))


def files() -> list[Path]:
    """Return the files that may speak of settings: those of the folders, and those beside them."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return [path for path in (*inside, *ROOT.iterdir()) if path.is_file() and path.suffix != ".lock"]


def unlisted(texts: Iterable[str]) -> set[str]:
    """Return the variables in texts that look like settings and are none."""
    return {name for text in texts for name in VARIABLE.findall(text) if name not in KNOWN} - set(OTHERS)


def read_fields(source: str) -> set[str]:
    """Return the settings that a source reads: `settings.x`, `self._settings.x`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name.strip("_").endswith("settings"):
                found.add(node.attr)
    return found


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_every_variable_is_a_setting() -> None:
    assert len(files()) > 100
    assert unlisted(text_of(path) for path in files()) == set()


def test_a_variable_that_is_no_setting_is_seen() -> None:
    assert unlisted([f"export {'TAPTRADE_'}PORTS=1", "TAPTRADE_PORT=1"]) == {"TAPTRADE_" + "PORTS"}


def test_every_row_fills_its_field() -> None:
    in_order = "Settings of runtime/settings.py has the fields of the table, in its order"
    assert [row.field for row in TABLE] == [field.name for field in fields(Settings)], in_order


def test_every_setting_is_read() -> None:
    read = {
        name for module, path in SOURCES.items() if module != "runtime.settings" for name in read_fields(text_of(path))
    }
    assert [row.field for row in TABLE if row.field not in read] == [], "read it as settings.FIELD"


@pytest.mark.parametrize(
    ("source", "read"),
    [
        pytest.param("use(settings.port)", {"port"}, id="read"),
        pytest.param("use(self._settings.port)", {"port"}, id="read of one's own"),
        pytest.param("settings.port = 1", set(), id="written"),
        pytest.param("use(rules.rows)", set(), id="another's"),
    ],
)
def test_what_is_read_is_seen(source: str, read: set[str]) -> None:
    assert read_fields(source) == read
