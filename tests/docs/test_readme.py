"""The README's tap with curl: its very commands, against a started system, from login to the ledger."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.acceptance.system import System
from tests.docs.shell import blocks, run, section
from tests.docs.tables import ROOT

pytestmark = pytest.mark.timeout(180)


def test_tap_with_curl_goes_from_login_to_ledger(house: System, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    keys, login, tap, result, statement = run(
        blocks(section(readme, "A tap with curl")), tmp_path / "project", house.environment
    )
    assert [line[:2] for line in keys.splitlines()] == ["0x", "0x"]
    assert json.loads(login)["user"]["balance"] == 1_000_000

    placed = json.loads(tap.splitlines()[-1])
    bet_id, stake = placed["bet"]["id"], placed["bet"]["amount"]
    assert (placed["bet"]["status"], placed["balance"]) == ("confirmed", 1_000_000 - stake)

    told = json.loads(result)
    bet = told["bet"]
    assert bet["id"] == bet_id
    assert bet["status"] in {"won", "lost", "void"}
    assert told["evidence"]["start_s"] == bet["column_start_s"]
    assert told["explanation"]

    *rows, audit = statement.splitlines()
    entries = [(row["ref_type"], row["ref_id"], int(row["amount_cents"])) for row in csv.DictReader(rows)]
    assert ("BET", bet_id, -stake) in entries
    paid = [amount for kind, reference, amount in entries if reference == bet_id and kind != "BET"]
    assert paid == {"won": [bet["payout_amount"]], "lost": [], "void": [stake]}[bet["status"]]
    assert audit.startswith("audit: every cent is where it belongs")
