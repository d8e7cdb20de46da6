"""The operator's page of commands: the house shown, the machine examined and a bet traced, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.system import System
from tests.docs.conftest import Played
from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT

pytestmark = pytest.mark.timeout(180)


def test_the_house_is_shown_examined_and_a_bet_traced(house: System, bet: Played, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (status,), (doctor,), (_, trace, _) = (
        blocks(section(text, heading))
        for heading in ("The house on one screen", "Is the machine fit", "One story by one id")
    )
    # A machine of tests need not be fit for a house.
    shown, examined, traced = run(
        [status, f"if ! {doctor.strip()}; then true; fi", f"BET={bet.id}\n{trace}"], tmp_path, house.environment
    )
    assert shown.startswith("house "), shown
    assert re.search(r"^owed +\$[\d,.]+ in accounts; ", shown, re.MULTILINE)
    assert re.search(r"^port +ok +\d+, held by the run in ", examined, re.MULTILINE)
    assert re.search(r"^\d+ checks: \d+ fail, \d+ warn$", examined, re.MULTILINE)
    assert traced.startswith(f"bet {bet.id}\n")
    assert "receipt to commit" in traced.splitlines()[-1]
