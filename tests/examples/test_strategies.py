"""The examples that need no house: the guide's commands for their tests run as they stand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.shell import blocks, run, section
from tests.sources import ROOT

COMMANDS = blocks(section((ROOT / "docs" / "clients.md").read_text(encoding="utf-8"), "Test a strategy"), "")


@pytest.mark.parametrize("name", ["examples/test_strategy.py", "examples/strategy.test.mjs"])
def test_the_guides_tests_of_a_strategy_pass(name: str, tmp_path: Path) -> None:
    [command] = [one for one in COMMANDS if name in one]
    if command.startswith("node") and shutil.which("node") is None:
        pytest.skip("LEFT OUT: node is not installed")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "page" / "client", tmp_path / "page" / "client")
    [told] = run([command], tmp_path, {})
    assert "3 passed" in told or "pass 3" in told
