"""The page for contributors: its very commands, in a checkout of a developer's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT

pytestmark = [pytest.mark.timeout(180), pytest.mark.integration]


def test_its_commands_add_functions_and_a_fragment(checkout: Path) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    headings = ("Add a function", "Add something else", "Tell of it")
    functions, tables, told = run([one for name in headings for one in blocks(section(page, name))], checkout, {})
    assert "2 passed" in functions
    assert tables == ""
    assert "| `tidy_up` | cron 30 4 * * * |" in (checkout / "docs" / "functions.md").read_text(encoding="utf-8")
    assert "- Cells may be tapped with the left hand." in told
