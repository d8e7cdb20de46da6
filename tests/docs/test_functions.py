"""The guide to functions: its very commands, in a checkout of a developer's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT

pytestmark = [pytest.mark.timeout(180), pytest.mark.integration]


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
