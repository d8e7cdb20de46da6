"""The guide to clients names every status of a bet and every kind of entry, and no other."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from runtime.game.bets import Status
from runtime.game.ledger import RefType
from tests.docs.tables import ROOT

GUIDE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "names"),
    [("| status | ", {"pending", *get_args(Status)}), ("| `ref_type` of an entry | ", set(get_args(RefType)))],
)
def test_its_tables_are_whole(heading: str, names: set[str]) -> None:
    rows = GUIDE.split(heading, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])} == names
