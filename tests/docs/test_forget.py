"""The runbook of a player who wants to have, or to be rid of, what is known of them, as it stands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.docs.runbooks import both, runbook
from tests.docs.shell import blocks, run
from tests.docs.tables import ROOT

pytestmark = pytest.mark.timeout(180)


@both
def test_a_player_gets_what_is_held_and_is_forgotten(first: str, place: dict[str, str], tmp_path: Path) -> None:
    given, exporting, forgetting, again, seeing, cutting = blocks(runbook("forget"))
    taptrade = shlex.quote(str(ROOT / ".venv" / "bin" / "taptrade"))
    opening = f"""
        PLAYER=$({taptrade} wallet new --key key | sed 's/.* //')
        {taptrade} sign-login --key key | curl -sS --fail-with-body "$API/api/auth/login" \\
            -H 'Content-Type: application/json' -d @- -o login
        taptrade adjust "$PLAYER" -1000000 --reference "gone-$PLAYER" --why "no more play money"
    """
    assert given.startswith("PLAYER=0x")
    _, opened, _, forgotten, repeated, seen, _ = run(
        [first, opening, exporting, forgetting, again, seeing, cutting], tmp_path, place
    )
    assert "adjusted by -$10,000.00" in opened
    assert forgotten.startswith("forgot player ")
    assert "that was done before" in repeated
    assert "audit: every cent is where it belongs" in seen
    assert re.search(r'"wallet_address":"forgotten"', seen)
    assert re.search(r'"erased_at":"20', seen)
    held = json.loads((tmp_path / "player.json").read_text())
    assert held["account"][0]["wallet_address"].startswith("0x")
    assert [one["kind"] for one in held["operations"]] == ["credit", "adjust"]
