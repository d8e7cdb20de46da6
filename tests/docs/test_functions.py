"""The guide to functions: its very commands, in a checkout of a developer's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT
from tests.interpreter import preferring

pytestmark = [pytest.mark.timeout(180), pytest.mark.integration]
COPIED = ("functions", "tests", "docs")
SKIPPED = (".pytest_cache",)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout whose functions, tests and documents may be written, with an environment for it."""
    root = tmp_path / "project"
    root.mkdir()
    for path in ROOT.iterdir():
        if path.name in COPIED:
            shutil.copytree(path, root / path.name, ignore=shutil.ignore_patterns(*SKIPPED))
        elif path.suffix == ".md":
            shutil.copy(path, root)
        elif not path.name.startswith(".") and path.name not in ("build", "data"):
            (root / path.name).symlink_to(path)
    python = preferring(root, root / ".venv")
    command = root / ".venv" / "bin" / "taptrade"
    command.write_text(f'#!/bin/sh\nexec {python} -I -u -m taptrade "$@"\n')
    command.chmod(0o755)
    return root


def test_the_guide_leads_from_nothing_to_three_functions_with_tests(checkout: Path) -> None:
    guide = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    endpoint, others, listed = run(blocks(section(guide, "From nothing to three functions")), checkout, {})
    said = json.loads(endpoint[endpoint.index("{") : endpoint.index("}") + 1])["said"]
    assert said.endswith("Z")
    assert "1 passed" in endpoint
    assert {"0", '"c1.1"'} <= set(others.splitlines())
    assert "2 passed" in others
    assert [line.split("\t")[:2] for line in listed.splitlines()[1:]] == [
        ["count_commits", "every 10 s"],
        ["hello", "GET /api/hello"],
        ["last_winner", "event bet.won"],
    ]
    assert "| `last_winner` | event bet.won |" in (checkout / "docs" / "functions.md").read_text(encoding="utf-8")
    assert "`GET /api/hello`" in (checkout / "docs" / "api.md").read_text(encoding="utf-8")
